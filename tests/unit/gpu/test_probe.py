"""The probe through the real pynvml against a compiled stub, and what it finds on the loader's path."""

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from support import nvml as nvml_stub
from support.machines import release
from support.nvml import build, machine, probe_each, stub

from gitops_model.errors import CouldNotRun, MissingExtra
from gitops_model.gpu import nvml
from gitops_model.gpu.compat import judge
from gitops_model.gpu.probe import compiler
from gitops_model.gpu.profiles import names, profile


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system of its own, so that nothing of this machine is found: it has the driver's libcuda."""
    folder = tmp_path / "root/usr/lib/x86_64-linux-gnu"
    folder.mkdir(parents=True)
    compile_library(folder / "libcuda.so.550.54.15", "libcuda.so.1")
    (folder / "libcuda.so.1").symlink_to("libcuda.so.550.54.15")
    (folder / "libnvidia-ptxjitcompiler.so.1").write_bytes(b"")
    return tmp_path / "root"


def compile_library(path: Path, soname: str, code: str = "int defined(void) { return 0; }", *flags: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    words = ["gcc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{soname}", *flags, "-x", "c", "-", "-o", path]
    subprocess.run(words, input=code.encode(), check=True)


def probe_one(library: Path | None, text: str, scratch: Path, root: Path, **environment: str) -> dict[str, Any]:
    return probe_each(library, {"it": text}, scratch, str(root), environment)["it"]


# --- GPUs ----------------------------------------------------------------------------------------------------------
def of_profile(document: dict[str, Any]) -> str:
    """The stub's text for a ready-made profile."""
    gpu = document["gpus"][0]
    cuda = document.get("cuda_driver", "13.0").split(".")
    counted = gpu["ecc_mode"] == "enabled"
    return machine(
        driver=document["driver"],
        cuda=int(cuda[0]) * 1000 + int(cuda[1]) * 10,
        gpu0__name=gpu["name"],
        gpu0__cc=gpu["compute_capability"],
        gpu0__brand=gpu.get("brand"),
        gpu0__total=gpu["memory_mib"],
        gpu0__free=gpu["memory_free_mib"],
        gpu0__ecc_mode={"enabled": 1, "disabled": 0}.get(gpu["ecc_mode"]),
        gpu0__ecc=0 if counted else None,
        gpu0__remap="0,0" if counted and gpu["compute_capability"] != "7.5" else None,
        gpu0__retired=0 if gpu["compute_capability"] == "7.5" else None,
        gpu0__mig=0 if gpu["compute_capability"] in {"8.0", "9.0", "10.0"} else None,
        gpu0__fabric="3,0" if gpu["fabric"] else "0,0",
    )


def test_every_profile_is_what_a_probe_of_that_machine_says(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_each(library, {name: of_profile(profile(name)) for name in names()}, tmp_path, str(root))
    for name in names():
        expected = dict(profile(name)["gpus"][0])
        got = found[name]["gpus"][0]
        if "brand" not in expected:
            assert got.pop("brand") is None
        assert {key: got[key] for key in expected} == expected, name
        assert found[name]["driver"] == profile(name)["driver"]
        assert found[name]["nvml_status"] == 0
        assert "problems" not in found[name], name


ANSWERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"gpu0__ecc": 3}, {"ecc_uncorrected": 3}),
    ({"gpu0__ecc": None}, {"ecc_uncorrected": None}),
    ({"gpu0__ecc_mode": None}, {"ecc_mode": "unsupported"}),
    ({"gpu0__ecc_mode": 0}, {"ecc_mode": "disabled"}),
    ({"gpu0__remap": "1,0"}, {"remap_failed": True}),
    ({"gpu0__remap": "0,1"}, {"remap_failed": True}),
    ({"gpu0__remap": None}, {"remap_failed": None}),
    ({"gpu0__remap": None, "gpu0__retired": 1}, {"remap_failed": True}),
    ({"gpu0__remap": None, "gpu0__retired": 0}, {"remap_failed": False}),
    ({"gpu0__mode": 2}, {"compute_mode": "prohibited"}),
    ({"gpu0__mode": 3, "gpu0__procs": 2}, {"compute_mode": "exclusive-process", "processes": 2}),
    ({"gpu0__mode": 9}, {"compute_mode": None}),
    ({"gpu0__fabric": "0,0"}, {"fabric": None}),
    ({"gpu0__fabric": None}, {"fabric": None}),
    ({"gpu0__fabric": "1,0"}, {"fabric": "not-ready"}),
    ({"gpu0__fabric": "2,0"}, {"fabric": "in-progress"}),
    ({"gpu0__fabric": "3,0"}, {"fabric": "completed"}),
    ({"gpu0__fabric": "3,999"}, {"fabric": "not-ready"}),
    ({"gpu0__mig": None}, {"mig": False}),
    ({"gpu0__brand": None}, {"brand": None}),
]


def test_each_answer_is_a_field(library: Path, tmp_path: Path, root: Path) -> None:
    cases = {str(number): machine(**changes) for number, (changes, _) in enumerate(ANSWERS)}
    found = probe_each(library, cases, tmp_path, str(root))
    for number, (changes, fields) in enumerate(ANSWERS):
        gpu = found[str(number)]["gpus"][0]
        assert {key: gpu[key] for key in fields} == fields, changes


FIELDS = {
    "cc": "compute_capability",
    "brand": "brand",
    "mig": "mig",
    "ecc_mode": "ecc_mode",
    "ecc": "ecc_uncorrected",
    "remap": "remap_failed",
    "mode": "compute_mode",
    "procs": "processes",
    "fabric": "fabric",
    "total": "memory_mib",
}


def test_an_answer_that_fails_is_left_out(library: Path, tmp_path: Path, root: Path) -> None:
    cases = {name: machine(**{f"gpu0__{name}": "!4"}) for name in FIELDS}
    for name, found in probe_each(library, cases, tmp_path, str(root)).items():
        assert FIELDS[name] not in found["gpus"][0]
        assert any("(4)" in problem for problem in found["problems"])
        needless = name in {"procs", "brand", "total", "ecc_mode"}  # what this release does not depend on
        assert judge(release(), found).verdict == ("allow" if needless else "unknown"), name


def test_memory_that_is_shared_with_the_cpu_is_not_told(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_one(library, machine(gpu0__total=None), tmp_path, root)
    assert "memory_mib" not in found["gpus"][0]
    assert "problems" not in found
    assert judge(release(memory_mib=1), found).verdict == "unknown"


def test_slices_stand_for_a_gpu_with_mig_on(library: Path, tmp_path: Path, root: Path) -> None:
    slices = {
        "gpu0__mig": 1,
        "gpu0__slices": 7,
        "gpu0__slice0__name": "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "gpu0__slice0__uuid": "MIG-a",
        "gpu0__slice0__total": 9984,
        "gpu0__slice0__free": 9900,
        "gpu0__slice2__name": "a driver that does not say",
        "gpu0__slice2__uuid": "MIG-b",
        "gpu0__slice2__total": 20096,
        "gpu0__slice2__free": 20000,
        "gpu0__ecc": 1,
    }
    found = probe_one(library, machine(**slices), tmp_path, root)
    assert [(gpu["mig"], gpu["memory_mib"], gpu["uuid"]) for gpu in found["gpus"]] == [
        ("1g.10gb", 9984, "MIG-a"),
        ("1g.20gb", 20096, "MIG-b"),
    ]
    for gpu in found["gpus"]:  # what NVML tells only of the parent
        assert (gpu["compute_capability"], gpu["ecc_uncorrected"], gpu["fabric"]) == ("9.0", 1, "completed")
    assert "problems" not in found


def test_a_gpu_with_mig_on_and_no_slice_is_no_device(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_one(library, machine(gpu0__mig=1, gpu0__slices=7), tmp_path, root)
    assert found["gpus"][0]["mig"] is True
    assert "memory_mib" not in found["gpus"][0]  # the memory of the parent is not usable
    verdict = judge(release(), found)
    assert (verdict.verdict, verdict.reasons[0].error) == ("reject", "NO_DEVICE")


def test_a_lost_gpu_is_said(library: Path, tmp_path: Path, root: Path) -> None:
    two = {"count": 2, **{f"gpu1__{key}": value for key, value in {"handle": "!15"}.items()}}
    found = probe_one(library, machine(**two), tmp_path, root)
    assert found["nvml_status"] == 15
    assert found["gpus"][1] == {"index": 1}
    verdict = judge(release(), found)
    assert (verdict.verdict, verdict.reasons[0].error) == ("reject", "NO_DEVICE")
    later = probe_one(library, machine(gpu0__ecc="!15"), tmp_path, root)
    assert later["nvml_status"] == 15


def test_ecc_errors_are_rejected(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_one(library, machine(gpu0__ecc=2), tmp_path, root)
    verdict = judge(release(), found)
    assert (verdict.verdict, verdict.reasons[0].error) == ("reject", "214")


def test_a_healthy_machine_is_allowed(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_one(library, machine(), tmp_path, root)
    assert judge(release(), found).verdict == "allow"
    assert found["libraries"][0]["soname"] == "libcuda.so.1"
    assert found["libraries"][0]["version"] == "550.54.15"


# --- the driver ----------------------------------------------------------------------------------------------------
def test_nvml_that_does_not_start(library: Path, tmp_path: Path, root: Path) -> None:
    kernel = root / "proc/driver/nvidia/version"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build\nGCC version:\n"
    )
    outcomes = {"18": ("reject", "803"), "9": ("reject", "NO_DEVICE"), "999": ("unknown", "NO_DEVICE")}
    answers = probe_each(library, {code: machine(init=f"!{code}") for code in outcomes}, tmp_path, str(root))
    for code, (verdict, error) in outcomes.items():
        found = answers[code]
        assert found["nvml_status"] == int(code)
        assert found["driver"] == "550.54.15"  # the kernel module says it where NVML cannot
        assert "gpus" not in found
        judged = judge(release(), found)
        assert judged.verdict == verdict
        assert error in {reason.error for reason in judged.reasons if reason.effect.verdict == verdict}


def test_without_any_library(tmp_path: Path) -> None:
    found = probe_one(None, machine(), tmp_path, tmp_path)
    assert (found["nvml_status"], found["libcuda_present"], found["compat"]) == (12, False, None)
    assert judge(release(), found).verdict == "reject"  # no libcuda decides alone
    assert judge(release(), found).reasons[0].error == "35"


def test_functions_that_an_old_driver_lacks_are_unknown(tmp_path: Path, root: Path) -> None:
    old = build(tmp_path / "old", "FABRIC", "CUDA_V2")
    found = probe_each(old, {"h100": machine(), "l4": machine(gpu0__cc="8.9")}, tmp_path, str(root))
    assert "cuda_driver" not in found["h100"]
    assert "fabric" not in found["h100"]["gpus"][0]  # there are H100 on NVSwitch
    assert judge(release(), found["h100"]).verdict == "unknown"
    assert found["l4"]["gpus"][0]["fabric"] is None  # there is no L4 on one
    assert (
        judge(release(binaries=[{"path": "a.so", "images": [{"kind": "sass", "arch": "89"}]}]), found["l4"]).verdict
        == "allow"
    )


def test_answers_that_make_no_sense_are_left_out(library: Path, tmp_path: Path, root: Path) -> None:
    odd = probe_one(library, machine(driver="nonsense", cuda=0, count="!999"), tmp_path, root)
    assert not {"driver", "cuda_driver", "gpus"} & odd.keys()
    assert judge(release(), odd).verdict == "unknown"
    broken = probe_one(library, machine(gpu0__cc="x"), tmp_path, root)
    assert "compute_capability" not in broken["gpus"][0]


# --- HGX A100: the fabric manager is all that tells ----------------------------------------------------------------
def test_an_nvswitch_without_a_fabric_state_needs_its_manager(library: Path, tmp_path: Path, root: Path) -> None:
    text = machine(gpu0__cc="8.0", gpu0__fabric="0,0")
    assert probe_one(library, text, tmp_path, root)["gpus"][0]["fabric"] is None
    (root / "dev").mkdir()
    (root / "dev/nvidia-nvswitchctl").write_bytes(b"")
    assert "fabric" not in probe_one(library, text, tmp_path, root)["gpus"][0]
    (root / "proc/17").mkdir(parents=True)
    (root / "proc/17/comm").write_text("nv-fabricmanage\n")
    assert probe_one(library, text, tmp_path, root)["gpus"][0]["fabric"] == "completed"


# --- libraries and compat ------------------------------------------------------------------------------------------
VERSIONED = "int __nvJitLinkComplete_12_4(void) { return 0; }"
NOTE = """
__asm__(".section .note.cuda.fwd_compatibility,\\"a\\",@note\\n.balign 4\\n.long 2f-1f, 4f-3f, 1\\n"
        "1: .asciz \\"NVIDIA Corporation\\"\\n2: .balign 4\\n3: .ascii \\"%s\\"\\n4: .balign 4\\n.text\\n");
"""
NOTE_TEXT = r"{\\\"CUDA Version\\\": \\\"12.9\\\", \\\"Driver\\\": [535, 550, 575], \\\"Device\\\": [1, 2, 14]}"


def test_the_loader_path_comes_first(library: Path, tmp_path: Path, root: Path) -> None:
    folder = root / "opt/cuda/lib64"
    script = tmp_path / "versions"
    script.write_text("libnvJitLink.so.12 { global: *; };\n")
    compile_library(
        folder / "libnvJitLink.so.12.4.127", "libnvJitLink.so.12", VERSIONED, f"-Wl,--version-script={script}"
    )
    (folder / "libnvJitLink.so.12").symlink_to("libnvJitLink.so.12.4.127")
    (root / "usr/lib/x86_64-linux-gnu/libnvJitLink.so.12").write_bytes(b"not an ELF file")
    (folder / "libz.so.1").write_bytes(b"not of CUDA")
    found = probe_one(library, machine(), tmp_path, root, LD_LIBRARY_PATH="/none:relative:/opt/cuda/lib64:")
    first = next(entry for entry in found["libraries"] if entry["soname"] == "libnvJitLink.so.12")
    assert first["path"] == "/opt/cuda/lib64/libnvJitLink.so.12"
    assert first["version"] == "12.4.127"
    assert "__nvJitLinkComplete_12_4" in first["symbols"]
    assert found["environment"] == {"LD_LIBRARY_PATH": "/none:relative:/opt/cuda/lib64:"}
    assert not any("libz" in entry["soname"] for entry in found["libraries"])
    needs = release(symbols=["__nvJitLinkComplete_12_4@libnvJitLink.so.12"])
    assert judge(needs, found).verdict == "allow"
    other = probe_one(library, machine(), tmp_path, root)
    assert judge(needs, other).verdict == "unknown"  # that one cannot be read


def test_compat_first_on_the_path_is_in_use(library: Path, tmp_path: Path, root: Path) -> None:
    folder = root / "usr/local/cuda/compat"
    compile_library(folder / "libcuda.so.575.57.08", "libcuda.so.1", NOTE % NOTE_TEXT)
    (folder / "libcuda.so.1").symlink_to("libcuda.so.575.57.08")
    package = {"version": "575.57.08", "cuda": "12.9", "driver_branches": [535, 550, 575], "devices": [1, 2, 14]}
    beside = probe_one(library, machine(), tmp_path, root)
    assert beside["compat"] == {**package, "in_use": False}
    assert judge(release(), beside).verdict == "allow"
    first = probe_one(library, machine(cuda=12090), tmp_path, root, LD_LIBRARY_PATH="/usr/local/cuda/compat")
    assert first["compat"] == {**package, "in_use": True}
    assert judge(release(), first).verdict == "allow"
    geforce = probe_one(
        library, machine(cuda=12090, gpu0__brand=5), tmp_path, root, LD_LIBRARY_PATH="/usr/local/cuda/compat"
    )
    verdict = judge(release(), geforce)
    assert (verdict.verdict, verdict.reasons[0].error) == ("reject", "804")


def test_compat_without_a_note_is_known_by_its_folder(library: Path, tmp_path: Path, root: Path) -> None:
    folder = root / "usr/local/cuda/compat"
    compile_library(folder / "libcuda.so.520.61.05", "libcuda.so.1")
    (folder / "libcuda.so.1").symlink_to("libcuda.so.520.61.05")
    found = probe_one(
        library, machine(driver="470.57.02", cuda=11080), tmp_path, root, LD_LIBRARY_PATH="/usr/local/cuda/compat"
    )
    assert found["compat"] == {"version": "520.61.05", "in_use": True}


def test_a_libcuda_of_another_driver_is_a_mismatch(library: Path, tmp_path: Path, root: Path) -> None:
    found = probe_one(library, machine(driver="555.42.02", cuda=12050), tmp_path, root)
    verdict = judge(release(), found)
    assert (verdict.verdict, verdict.reasons[0].error) == ("reject", "803")


# --- switches and compiler -----------------------------------------------------------------------------------------
def test_only_known_switches_are_recorded(library: Path, tmp_path: Path, root: Path) -> None:
    environment = {"CUDA_VISIBLE_DEVICES": "0", "NVIDIA_API_KEY": "secret", "CUDA_DISABLE_PTX_JIT": "1", "HOME": "/x"}
    found = probe_one(library, machine(), tmp_path, root, **environment)
    assert found["environment"] == {"CUDA_DISABLE_PTX_JIT": "1", "CUDA_VISIBLE_DEVICES": "0"}


@pytest.mark.parametrize(
    "file, text, versions",
    [
        ("version.json", '{"cuda": {"version": "13.0.2"}, "cuda_nvcc": {"version": "13.0.88"}}', ("13.0.88", "13.0.2")),
        ("include/cuda.h", "#ifndef x\n#define CUDA_VERSION 12060\n", (None, "12.6")),
        ("version.json", "[[[", (None, None)),
        ("version.json", "[]", (None, None)),
    ],
)
def test_the_compiler_says_its_version_in_files(root: Path, file: str, text: str, versions: tuple[Any, Any]) -> None:
    home = root / "usr/local/cuda"
    for folder in ("bin", "nvvm", "include"):
        (home / folder).mkdir(parents=True)
    (home / "bin/nvcc").write_text("never run")
    (home / file).write_text(text)
    found = compiler({"PATH": "relative:/usr/local/cuda/bin"}, str(root))
    assert found == {"path": "/usr/local/cuda/bin/nvcc", "version": versions[0], "cuda": versions[1]}
    assert compiler({"PATH": ""}, str(root)) == found
    assert compiler({"PATH": ""}, str(root / "usr")) is None


# --- the module ----------------------------------------------------------------------------------------------------
def test_a_pynvml_that_is_not_nvidias_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", types.ModuleType("pynvml"))
    with pytest.raises(CouldNotRun, match="nvidia-ml-py") as caught:
        nvml.library()
    assert "pip install" in (caught.value.hint or "")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(MissingExtra):
        nvml.library()


def test_the_stub_is_the_only_library_that_the_tests_load() -> None:
    assert nvml_stub.SOURCE.is_file()
    assert stub(gpu0__cc="9.0") == "gpu0.cc=9.0\n"
