"""Installed packages and locks say which CUDA, cuDNN, TensorRT and ONNX Runtime a release brings."""

import pytest

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu.wheels import Package, Wheels, installed, library_folders, locked, needs


class Names:
    """A tree of names without contents."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def open(self, path: str) -> None:
        raise AssertionError(f"{path} is opened: names are enough")

    def names(self, path: str) -> tuple[str, ...]:
        prefix = f"{path}/" if path else ""
        return tuple(sorted({name[len(prefix) :].split("/")[0] for name in self.paths if name.startswith(prefix)}))


def found(*pins: str) -> Wheels:
    return needs(Package(*pin.split("==")) for pin in pins)


def test_packages_that_bring_no_cuda_need_nothing() -> None:
    assert found("numpy==2.1.0", "nvidia-ml-py==13.615.71", "onnx==1.18").needs == {}
    assert found("numpy==2.1.0").problems == ()


@pytest.mark.parametrize(
    "pins, expected",
    [
        (
            ("nvidia-cuda-runtime-cu12==12.4.127", "nvidia-cudnn-cu12==9.1.0.70"),
            {"cuda_runtime": "12.4.127", "cudnn": "9.1.0.70"},
        ),
        (("nvidia-cuda-runtime==13.0.88",), {"cuda_runtime": "13.0.88"}),
        (("onnxruntime-gpu==1.31.1",), {"onnxruntime": "1.31.1"}),
        (
            ("tensorrt==10.9.0.34", "tensorrt-cu12==10.9.0.34", "tensorrt-cu12-libs==10.9.0.34"),
            {"tensorrt": "10.9.0.34"},
        ),
        (("torch==2.5.1+cu124",), {"cuda_runtime": "12.4"}),
        (("torch==2.9.0+cu130", "torchvision==0.24+cu130"), {"cuda_runtime": "13.0"}),
        (("torch==2.5.1+cu118",), {"cuda_runtime": "11.8"}),
        (("torch==2.5.1+cu124", "nvidia-cuda-runtime-cu12==12.4.127"), {"cuda_runtime": "12.4.127"}),
        (("torch==2.5.1+cpu",), {}),
        (("onnxruntime-gpu==1.20.0rc1",), {"onnxruntime": "1.20.0"}),
    ],
)
def test_versions_become_needs(pins: tuple[str, ...], expected: dict[str, str]) -> None:
    assert found(*pins).needs == expected


def test_two_versions_of_one_thing_leave_it_open() -> None:
    both = found("nvidia-cuda-runtime-cu12==12.4.127", "nvidia-cuda-runtime==13.0.88", "nvidia-cudnn-cu13==9.11.0.98")
    assert both.needs == {"cudnn": "9.11.0.98"}
    assert [problem.found for problem in both.problems] == ["12.4.127, 13.0.88"]


def test_the_cpu_build_of_onnxruntime_is_no_gpu_runtime() -> None:
    assert found("onnxruntime==1.31.1").needs == {}
    assert "CPU" in found("onnxruntime==1.31.1").problems[0].message
    both = found("onnxruntime==1.31.1", "onnxruntime-gpu==1.31.1")
    assert "overwrite" in both.problems[0].message


def test_installed_packages_are_known_by_their_folders() -> None:
    tree = Names(
        "site/torch-2.5.1+cu124.dist-info/METADATA",
        "site/nvidia_cudnn_cu12-9.1.0.70.dist-info/RECORD",
        "site/old-1.0-py3.11.egg-info/PKG-INFO",
        "site/torch/__init__.py",
        "site/broken.dist-info/x",
        "site/.dist-info/y",
    )
    assert set(installed(tree, "site")) == {
        Package("torch", "2.5.1+cu124"),
        Package("nvidia-cudnn-cu12", "9.1.0.70"),
        Package("old", "1.0"),
    }


def test_preloaded_folders_are_found() -> None:
    tree = Names("s/nvidia/cu13/lib/libcublas.so.13", "s/nvidia/cudnn/lib/libcudnn.so.9", "s/nvidia/nvtx/include/x.h")
    assert library_folders(tree, "s") == ("s/nvidia/cu13/lib", "s/nvidia/cudnn/lib")


REQUIREMENTS = """
# comment
--index-url https://example.com
onnxruntime_gpu[cuda,cudnn]==1.31.1 \\
    --hash=sha256:00
torch === 2.5.1+cu124 ; sys_platform == 'linux'  # why
torch==2.5.1 ; sys_platform == 'darwin'
numpy>=2
nvidia-cudnn-cu12==9.1.0.70;platform_system == "Linux"
"""
UV = """
version = 1
[[package]]
name = "onnxruntime-gpu"
version = "1.31.1"
source = { registry = "https://example.com" }
[[package]]
name = "no-version"
source = { editable = "." }
"""
PYLOCK = """
[[packages]]
name = "tensorrt"
version = "10.9.0.34"
[[packages]]
name = "tensorrt"
version = "9"
marker = "sys_platform == 'win32'"
"""
PIPFILE = """
{"_meta": {}, "develop": {"a": {"version": "==1"}},
 "default": {"onnxruntime-gpu": {"version": "==1.31.1"}, "x": {"git": "y"}, "z": 1}}
"""


@pytest.mark.parametrize(
    "name, text, expected",
    [
        (
            "requirements.txt",
            REQUIREMENTS,
            [("onnxruntime-gpu", "1.31.1"), ("torch", "2.5.1+cu124"), ("nvidia-cudnn-cu12", "9.1.0.70")],
        ),
        ("uv.lock", UV, [("onnxruntime-gpu", "1.31.1")]),
        ("a/poetry.lock", UV, [("onnxruntime-gpu", "1.31.1")]),
        ("pylock.toml", PYLOCK, [("tensorrt", "10.9.0.34")]),
        ("Pipfile.lock", PIPFILE, [("onnxruntime-gpu", "1.31.1")]),
        ("requirements.txt", "", []),
        ("uv.lock", "", []),
        ("uv.lock", "package = 1\npackages = [1, {}]", []),
    ],
)
def test_locks_are_read(name: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert list(locked(Blob.of_bytes(name, text.encode()))) == expected


@pytest.mark.parametrize(
    "name, data",
    [("uv.lock", b"x"), ("Pipfile.lock", b"{"), ("requirements.txt", b"\xff"), ("uv.lock", b"x = " + b"[" * 5000),
     ("Pipfile.lock", b"{" + b"[" * 100_000)],
)  # fmt: skip
def test_what_is_no_lock_is_malformed(name: str, data: bytes) -> None:
    with pytest.raises(BadFile) as caught:
        locked(Blob.of_bytes(name, data))
    assert caught.value.problem.code == "GM002"
