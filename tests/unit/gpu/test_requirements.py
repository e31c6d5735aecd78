"""What is found in the parts of a release becomes one document, and what is not found is said."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from onnx import helper
from support.elf import Sym, library
from support.machines import MACHINE
from support.onnx_models import model, read, value, weight

import gitops_model.gpu
from gitops_model.blob import Blob
from gitops_model.gpu.closure import Search
from gitops_model.gpu.compat import judge
from gitops_model.gpu.fatbin import scan
from gitops_model.gpu.image import Image
from gitops_model.gpu.onnx_values import planned
from gitops_model.gpu.requirements import (
    Found,
    Release,
    Weights,
    binary,
    is_device_path,
    is_library_path,
    paths_to_scan,
    requirements_of,
)
from gitops_model.gpu.tree import Folder
from gitops_model.gpu.wheels import Package

DATA = Path(__file__).parents[2] / "data" / "gpu"
SCHEMA = json.loads((Path(gitops_model.gpu.__file__).parent / "requirements.schema.json").read_text())


def found(**parts: Any) -> Found:
    """Every document in these tests is valid under the published schema."""
    answer = requirements_of(Release(**parts))
    jsonschema.validate(json.loads(json.dumps(answer.requirements)), SCHEMA)
    return answer


def data(name: str) -> bytes:
    return (DATA / name).read_bytes()


def blob(name: str, content: bytes | None = None) -> Blob:
    return Blob.of_bytes(name, data(name) if content is None else content)


def codes(answer: Found) -> list[tuple[str, str]]:
    return [(note.path, note.problem.code) for note in answer.notes]


def test_nothing_looked_into_is_nothing_said() -> None:
    assert found() == Found({}, ())
    assert found(name="x").requirements == {"name": "x"}


# --- device code ----------------------------------------------------------------------------------------------------
def test_device_code_is_listed_by_container() -> None:
    answer = found(files=(blob("special.fatbin"),))
    (entry,) = answer.requirements["binaries"]
    assert entry["path"] == "special.fatbin"
    assert entry["toolkits"] == ["13.0"]
    ((container),) = entry["containers"]
    assert container["count"] == 1
    assert {"kind": "ptx", "arch": "90a", "ptx_isa": "9.0"} in container["images"]
    assert {"kind": "sass", "arch": "100a"} in container["images"]
    assert answer.requirements["cuda_runtime"] == "13.0", "of the compiler, where nothing else says it"


def test_alike_containers_are_counted() -> None:
    content = data("one.fatbin") * 3 + data("ptx.fatbin")
    (entry,) = found(files=(blob("x.fatbin", content),)).requirements["binaries"]
    assert [container["count"] for container in entry["containers"]] == [3, 1]


def test_a_host_file_without_device_code_is_not_listed() -> None:
    answer = found(files=(blob("liba.so", library("liba.so")),))
    assert "binaries" not in answer.requirements
    assert answer.notes == ()


def test_what_could_not_be_read_is_listed_as_such() -> None:
    cut = data("ptx.fatbin")[:-40]
    answer = found(files=(blob("x.fatbin", cut), blob("y.so", b"no library")))
    broken, stranger = answer.requirements["binaries"]
    assert broken["problems"]
    assert broken["containers"]
    assert stranger == {"path": "y.so", "problems": ["this is no library, fatbin, cubin or PTX text"]}
    assert {code for path, code in codes(answer) if path == "y.so"} == {"GM009"}


def test_code_in_other_sections_counts_only_where_there_is_no_other() -> None:
    """ONNX Runtime has bare cubins for 7.0 in .rodata: they do not make it run there."""
    hidden = data("library.so").replace(b".nv_fatbin\0", b".my_rodata\0")
    hidden = hidden.replace(b".nvFatBinSegment\0", b".myFatBinSegment\0")
    only = binary(scan(blob("x.so", hidden)))
    assert [row["section"] for row in only["containers"]] == [".my_rodata"]
    both = scan(blob("x.so", data("library.so")))
    both.containers.update(scan(blob("x.so", hidden)).containers)
    assert [row["section"] for row in binary(both)["containers"]] == [".nv_fatbin"]


def test_link_input_is_marked() -> None:
    (entry,) = found(files=(blob("relocatable.o"),)).requirements["binaries"]
    assert [row["section"] for row in entry["containers"]] == ["__nv_relfatbin"]


def test_engines_are_listed_and_said_to_be_opaque() -> None:
    answer = found(files=(blob("m.plan", b"ptrt" + bytes(64)), blob("n.engine", b"what?" * 20)))
    assert answer.requirements["engines"] == [{"path": "m.plan"}, {"path": "n.engine"}]
    assert codes(answer) == [("n.engine", "GM009"), ("", "GM009")]


def test_the_toolkit_is_known_by_its_ptx_where_cubins_are_compressed() -> None:
    assert found(files=(blob("ptx.fatbin"),)).requirements["cuda_runtime"] == "13.0"
    assert "cuda_runtime" not in found(files=(blob("lto.fatbin"), blob("liba.so", library("liba.so")))).requirements


# --- libraries ------------------------------------------------------------------------------------------------------
CUDA = library(
    "liba.so",
    needed=("libcudart.so.12", "libcublas.so.12", "libcuda.so.1", "libz.so.1", "libc.so.6"),
    symbols=(
        Sym("cudaMalloc", "libcudart.so.12", "libcudart.so.12"),
        Sym("deflate", "ZLIB_1.2", "libz.so.1"),
        Sym("memcpy", "GLIBC_2.14", "libc.so.6"),
        Sym("cuInit"),
    ),
)


def test_a_library_alone_says_what_must_come_from_the_machine() -> None:
    answer = found(files=(blob("liba.so", CUDA),)).requirements
    assert answer["sonames"] == ["libcublas.so.12", "libcuda.so.1", "libcudart.so.12", "libz.so.1"]
    assert answer["symbols"] == ["cuInit@libcuda.so.1", "cudaMalloc@libcudart.so.12"]
    assert answer["cuda_runtime"] == "12.0", "the soname says the major version"


@pytest.mark.parametrize(
    "soname, version",
    [
        ("libcublasLt.so.13", "13.0"),
        ("libcudart.so.11.0", "11.0"),
        ("libnvrtc.so.11.2", "11.0"),
        ("libcufft.so.12", None),
    ],
)
def test_some_sonames_have_the_version_of_cuda(soname: str, version: str | None) -> None:
    answer = found(files=(blob("liba.so", library("liba.so", needed=(soname,))),)).requirements
    assert answer.get("cuda_runtime") == version


def test_what_the_release_carries_is_no_need(tmp_path: Path) -> None:
    for name, content in {
        "pkg/liba.so": CUDA,
        "nvidia/cublas/lib/libcublas.so.12": library("libcublas.so.12", needed=("libcublasLt.so.12",)),
        "nvidia/cuda_runtime/lib/libcudart.so.12": library(
            "libcudart.so.12", symbols=(Sym("cudaMalloc", "libcudart.so.12", defined=True),)
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    folders = ("nvidia/cublas/lib", "nvidia/cuda_runtime/lib")
    answer = found(tree=Folder(str(tmp_path)), paths=("pkg/liba.so",), search=Search((), folders)).requirements
    assert answer["sonames"] == ["libcublasLt.so.12", "libcuda.so.1", "libz.so.1"]
    assert answer["symbols"] == ["cuInit@libcuda.so.1"]


def test_a_conflict_inside_the_release_is_said(tmp_path: Path) -> None:
    (tmp_path / "liba.so").write_bytes(
        library("liba.so", needed=("libb.so.1",), runpath="$ORIGIN", symbols=(Sym("f_2", "libb.so.1", "libb.so.1"),))
    )
    (tmp_path / "libb.so.1").write_bytes(library("libb.so.1", symbols=(Sym("f_1", "libb.so.1", defined=True),)))
    answer = found(tree=Folder(str(tmp_path)), paths=("liba.so",))
    assert answer.requirements["conflicts"] == [{"symbol": "f_2@libb.so.1", "library": "libb.so.1", "user": "liba.so"}]
    assert [reason.error for reason in judge(answer.requirements, MACHINE).reasons][:1] == ["UNDEFINED_SYMBOL"]
    assert judge(answer.requirements, MACHINE).verdict == "reject"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert codes(found(tree=Folder(str(tmp_path)), paths=("k.cubin",))) == [("k.cubin", "GM010")]


def test_a_provider_that_nobody_asked_for_needs_nothing() -> None:
    """The wheel of ONNX Runtime brings its TensorRT provider, which is loaded on request alone."""
    name = "libonnxruntime_providers_tensorrt.so"
    provider = blob(name, library(name, needed=("libnvinfer.so.10",)))
    assert "sonames" not in found(files=(provider,)).requirements
    assert found(files=(provider,), packages=(Package("tensorrt", "10.9.0"),)).requirements["sonames"] == [
        "libnvinfer.so.10"
    ]
    assert found(files=(provider,), runtime={"tensorrt": "10.9"}).requirements["sonames"] == ["libnvinfer.so.10"]


# --- versions -------------------------------------------------------------------------------------------------------
def image(**environment: str) -> Image:
    return Image("sha256:0", "amd64", "linux", environment, {}, ())


def test_versions_come_from_packages_images_and_manifest() -> None:
    answer = found(
        packages=(Package("onnxruntime-gpu", "1.31.1"),),
        images=(image(CUDA_VERSION="13.0.1", NV_CUDNN_VERSION="9.11.0.98-1"),),
        runtime={"tensorrt": "10"},
    )
    assert answer.requirements == {
        "onnxruntime": "1.31.1",
        "cuda_runtime": "13.0.1",
        "cudnn": "9.11.0.98",
        "tensorrt": "10.0",
        "image_require": ["cuda>=13.0"],
    }
    assert answer.notes == ()


def test_the_more_precise_of_two_versions_that_agree_is_kept() -> None:
    answer = found(packages=(Package("nvidia-cuda-runtime-cu12", "12.4.127"),), runtime={"cuda_runtime": "12.4"})
    assert answer.requirements["cuda_runtime"] == "12.4.127"
    assert answer.notes == ()


def test_versions_that_disagree_are_said_and_the_newer_counts() -> None:
    answer = found(packages=(Package("nvidia-cuda-runtime-cu12", "12.4.127"),), runtime={"cuda_runtime": "13.0"})
    assert answer.requirements["cuda_runtime"] == "13.0"
    assert codes(answer) == [("", "GM009")]


def test_an_image_without_requirements_states_none() -> None:
    assert found(images=(image(PATH="/bin"),)).requirements == {"image_require": []}
    disabled = found(images=(image(NVIDIA_DISABLE_REQUIRE="1", NVIDIA_REQUIRE_CUDA="cuda>=99"),))
    assert disabled.requirements == {"image_require": []}
    assert codes(disabled) == [("sha256:0", "GM009")]


# --- models ---------------------------------------------------------------------------------------------------------
def weights(batch: int | None = 1, dtype: int = 1) -> Weights:
    content = read(
        model(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            [value("x", ["n", 4], dtype)],
            [value("y", ["n", 1024], dtype)],
            (weight("w", 4, 1024, dtype=dtype),),
        )
    )
    return Weights("model.onnx", content, planned(content, batch=batch))


def test_a_model_says_what_it_needs() -> None:
    answer = found(models=(weights(256),)).requirements
    assert answer["onnx"]["opset"] == {"ai.onnx": 17}
    assert answer["dtypes"] == ["float32"]
    assert answer["memory_mib"] == 632 + 2, "context and workspace, and 1.02 MiB of values rounded up"


def test_memory_that_cannot_be_known_is_null_and_said() -> None:
    answer = found(models=(weights(None),))
    assert answer.requirements["memory_mib"] is None
    assert codes(answer) == [("model.onnx", "GM009")]
    assert "runtime.batch" in (answer.notes[0].problem.hint or "")


def test_memory_that_the_manifest_states_is_taken_unless_the_weights_alone_are_more() -> None:
    stated = found(models=(weights(None),), runtime={"memory_mib": 2000})
    assert (stated.requirements["memory_mib"], stated.notes) == (2000, ())
    large = weights(None)
    large.model.tensors = (large.model.tensors[0]._replace(nbytes=5000 << 20),)
    assert found(models=(large,), runtime={"memory_mib": 2000}).requirements["memory_mib"] == 5000
    assert found(runtime={"memory_mib": 7}).requirements == {"memory_mib": 7}


def test_two_models_are_held_at_once() -> None:
    one = found(models=(weights(1000),)).requirements
    two = found(models=(weights(1000), weights(1000, dtype=10))).requirements
    assert two["dtypes"] == ["float16", "float32"]
    assert [(row["op_type"], row["types"]) for row in two["onnx"]["operators"]] == [
        ("MatMul", {"T": ["float16"]}),
        ("MatMul", {"T": ["float32"]}),
    ]
    assert two["memory_mib"] > one["memory_mib"]
    same = found(models=(weights(1), weights(1))).requirements["onnx"]
    assert [row["count"] for row in same["operators"]] == [2]


def test_the_manifest_adds_what_cannot_be_found() -> None:
    runtime = {
        "sonames": ["libx.so.1"],
        "symbols": ["f@libx.so.1"],
        "image_require": ["cuda>=12.0"],
        "dtypes": ["bfloat16"],
    }
    assert found(runtime=runtime).requirements == runtime
    both = found(models=(weights(1),), runtime={"dtypes": ["bfloat16", "float32"], "batch": 1})
    assert both.requirements["dtypes"] == ["float32", "bfloat16"]


# --- names ----------------------------------------------------------------------------------------------------------
def test_files_are_chosen_by_their_names() -> None:
    names = ["a.so", "liba.so.12.4", "k.cubin", "k.ptx", "m.plan", "x.py", "so", "a.something", "d/model.engine"]
    assert paths_to_scan(names) == ("a.so", "d/model.engine", "k.cubin", "k.ptx", "liba.so.12.4", "m.plan")
    assert is_device_path("x/y.so")
    assert is_library_path("liba.so.1")
    assert not is_library_path("k.cubin")


# --- laws -----------------------------------------------------------------------------------------------------------
def test_the_order_of_files_changes_nothing_but_the_order() -> None:
    files = (blob("one.fatbin"), blob("ptx.fatbin"), blob("lto.fatbin"))
    one, other = (found(files=order).requirements["binaries"] for order in (files, files[::-1]))
    assert one == other[::-1]


# --- what no schema allows ------------------------------------------------------------------------------------------
def test_a_library_whose_needs_cannot_be_read_leaves_them_open() -> None:
    """The dynamic section is cut off: its device code is known, what it needs of the machine is not."""
    cut = bytearray(library("liba.so", needed=("libcublas.so.12",)))
    cut[64 + 56 + 8 : 64 + 56 + 16] = (1 << 40).to_bytes(8, "little")
    answer = found(files=(blob("liba.so", bytes(cut)),))
    assert (answer.requirements["sonames"], answer.requirements["symbols"]) == (None, None)
    assert ("liba.so", "GM001") in codes(answer)


def test_a_symbol_that_cannot_be_written_leaves_symbols_open() -> None:
    strange = library("liba.so", needed=("libcuda.so.1",), symbols=(Sym("a@b", "libcuda.so.1", "libcuda.so.1"),))
    answer = found(files=(blob("liba.so", strange),))
    assert answer.requirements["symbols"] is None
    assert answer.requirements["sonames"] == ["libcuda.so.1"]
    assert ("", "GM002") in codes(answer)


def test_an_opset_that_is_none_leaves_it_open() -> None:
    strange = weights(1)
    strange.model.opset = {"ai.onnx": -1}
    answer = found(models=(strange,))
    assert answer.requirements["onnx"]["opset"] is None
    assert answer.requirements["onnx"]["operators"]


def test_an_architecture_that_is_none_is_a_problem() -> None:
    content = bytearray(data("ptx.fatbin"))
    content[16 + 28 : 16 + 32] = (2**32 - 1).to_bytes(4, "little")
    (entry,) = found(files=(blob("x.fatbin", bytes(content)),)).requirements["binaries"]
    assert "no architecture there is" in entry["problems"][0]
