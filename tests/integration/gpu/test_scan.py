"""From what a user names to the requirements of a release: files, a folder of packages, an image, a manifest."""

import gzip
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from onnx import helper
from support import models
from support.elf import Sym, library
from support.machines import MACHINE
from support.onnx_models import model, value, weight
from support.registry import FakeRegistry, Images

import gitops_model.gpu
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.gpu.compat import judge
from gitops_model.gpu.requirements import Found
from gitops_model.pipeline.gpu.scan import PASSWORD, USER, Wanted, scan

DATA = Path(__file__).parents[2] / "data" / "gpu"
SCHEMA = json.loads((Path(gitops_model.gpu.__file__).parent / "requirements.schema.json").read_text())


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def scanned(*words: str, environ: dict[str, str] | None = None, **wanted: Any) -> Found:
    found = scan(Wanted(words, **wanted), str(Path.cwd()), {**os.environ, **(environ or {})})
    jsonschema.validate(json.loads(json.dumps(found.requirements)), SCHEMA)
    return found


def dense(name: str = "model.onnx", batch: Any = "n") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["v"]), helper.make_node("Relu", ["v"], ["y"])]
    data = model(nodes, [value("x", [batch, 64])], [value("y", [batch, 64])], (weight("w", 64, 64),))
    Path(name).write_bytes(data)


MANIFEST = """
name: dense
version: 1.0.0
architecture: amd64
checksums:
  model.onnx: {{sha256: {digest}}}
  lib/ops.so: {{sha256: {digest}}}
inputs:
  x: {{dtype: float32, shape: [batch, 64]}}
outputs:
  y: {{dtype: float32, shape: [batch, 64]}}
runtime:
  onnxruntime: 1.31.1
  batch: 8
""".format(digest="0" * 64)


def test_a_model_alone() -> None:
    dense(batch=2)
    found = scanned("model.onnx").requirements
    assert found["memory_mib"] == 633
    assert [row["types"] for row in found["onnx"]["operators"]] == [{"T": ["float32"]}, {"T": ["float32"]}]


def test_open_sizes_are_stated() -> None:
    dense()
    assert scanned("model.onnx").requirements["memory_mib"] is None
    assert scanned("model.onnx", batch=4).requirements["memory_mib"] == 633
    assert scanned("model.onnx", dimensions={"n": 4}).requirements["memory_mib"] == 633


def test_a_manifest_names_files_and_adds_what_cannot_be_found() -> None:
    dense("m/model.onnx")
    Path("m/lib").mkdir()
    Path("m/lib/ops.so").write_bytes((DATA / "library.so").read_bytes())
    Path("m/model.yaml").write_text(MANIFEST)
    found = scanned("m/model.yaml").requirements
    assert found["name"] == "dense"
    assert found["onnxruntime"] == "1.31.1"
    assert found["memory_mib"] == 633, "runtime.batch is the open first dimension"
    assert [entry["path"] for entry in found["binaries"]] == ["m/lib/ops.so"]


def test_a_manifest_that_is_wrong_is_refused() -> None:
    Path("model.yaml").write_text("name: [")
    with pytest.raises(BadFile, match=r"model\.yaml"):
        scanned("model.yaml")


# --- folders --------------------------------------------------------------------------------------------------------
def packages() -> None:
    """A site-packages folder with the layout of NVIDIA's wheels, and a variant that is not used."""
    files = {
        "ops/_C.so": library(
            "_C.so",
            needed=("libcudart.so.12", "libcublas.so.12"),
            symbols=(Sym("cudaMalloc", "libcudart.so.12", "libcudart.so.12"),),
        ),
        "ops/_rocm.so": library("_rocm.so", needed=("libamdhip64.so.6",)),
        "nvidia/cuda_runtime/lib/libcudart.so.12": library(
            "libcudart.so.12", symbols=(Sym("cudaMalloc", "libcudart.so.12", defined=True),)
        ),
        "nvidia_cuda_runtime_cu12-12.4.127.dist-info/METADATA": b"",
        "ops/k.cubin": (DATA / "special.cubin").read_bytes(),
        "ops/data.bin": b"",
    }
    for name, data in files.items():
        path = Path("site") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def test_a_folder_is_searched_as_packages_are_laid() -> None:
    packages()
    found = scanned("site").requirements
    assert found["cuda_runtime"] == "12.4.127"
    assert found["sonames"] == ["libamdhip64.so.6", "libcublas.so.12"]
    assert found["symbols"] == []
    assert [entry["path"] for entry in found["binaries"]] == ["ops/k.cubin"]


def test_only_what_is_loaded_counts_when_that_is_said() -> None:
    packages()
    assert scanned("site", roots=("ops/_C.so",)).requirements["sonames"] == ["libcublas.so.12"]


def test_links_out_of_the_folder_are_not_followed() -> None:
    packages()
    Path("secret.so").write_bytes(library("secret.so", needed=("libsecret.so",)))
    Path("site/ops/link.so").symlink_to("../../secret.so")
    Path("site/ops/loop").symlink_to("..")
    assert "libsecret.so" not in scanned("site").requirements["sonames"]


def test_fifos_are_not_opened() -> None:
    packages()
    os.mkfifo("site/ops/pipe.so")
    assert "ops/pipe.so" not in [entry["path"] for entry in scanned("site").requirements["binaries"]]


def test_two_folders_at_once_are_too_many() -> None:
    packages()
    with pytest.raises(CouldNotRun, match="one folder"):
        scanned("site", "site/ops")


@pytest.mark.parametrize("where", ["requirements.txt", "site"])
def test_packages_come_from_a_lock_or_a_folder(where: str) -> None:
    packages()
    Path("requirements.txt").write_text("nvidia-cuda-runtime-cu12==12.4.127\n")
    assert scanned(packages=where).requirements == {"cuda_runtime": "12.4.127"}


# --- images ---------------------------------------------------------------------------------------------------------
ENV = {"CUDA_VERSION": "12.4.1", "NVIDIA_REQUIRE_CUDA": "cuda>=12.4"}
NEEDS = {"cuda_runtime": "12.4.1", "image_require": ["cuda>=12.4"]}


def images() -> Images:
    made = Images()
    made.tags["v1"] = made.index(made.image(ENV), made.image({"CUDA_VERSION": "11.8"}, "arm64"))["digest"]
    return made


def test_an_image_of_a_folder_an_archive_and_a_registry() -> None:
    made = images()
    index = {
        "mediaType": made.types[made.tags["v1"]],
        "digest": made.tags["v1"],
        "size": len(made.blobs[made.tags["v1"]]),
    }
    for name, data in made.layout(index).items():
        Path("layout", name).parent.mkdir(parents=True, exist_ok=True)
        Path("layout", name).write_bytes(data)
    with tarfile.open("image.tar", "w") as archive:
        archive.add("layout", "")
    for where in ("layout", "image.tar"):
        assert scanned(image=where, architecture="amd64").requirements == NEEDS
    with FakeRegistry(made, "a/b", token="t").running() as server:
        secret = {USER: "me", PASSWORD: "pass"}
        found = scanned(image=f"{server.host}/a/b:v1", architecture="amd64", environ=secret)
        assert found.requirements == NEEDS
        assert [authorization for path, authorization in server.seen if path.startswith("/token")] == [
            "Basic bWU6cGFzcw=="
        ]


def test_without_an_architecture_every_platform_counts() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        found = scanned(image=f"{server.host}/a/b:v1")
    assert found.requirements["image_require"] == ["cuda>=12.4", "cuda>=11.8"]
    assert found.requirements["cuda_runtime"] == "12.4.1"
    assert found.notes


def test_the_architecture_of_the_manifest_chooses_the_platform() -> None:
    dense("model.onnx")
    Path("model.yaml").write_text("\n".join(line for line in MANIFEST.splitlines() if "ops.so" not in line))
    with FakeRegistry(images(), "a/b").running() as server:
        found = scanned("model.yaml", image=f"{server.host}/a/b:v1")
    assert found.requirements["image_require"] == ["cuda>=12.4"]


def test_a_compressed_archive_says_what_to_do() -> None:
    Path("image.tar.gz").write_bytes(gzip.compress(b"x"))
    with pytest.raises(BadFile, match="unpack it first"):
        scanned(image="image.tar.gz")


def test_what_is_no_image_is_no_reference_either() -> None:
    with pytest.raises(CouldNotRun, match="no image reference"):
        scanned(image="No Such Image")


def test_layers_are_looked_into_on_request(tmp_path: Path) -> None:
    packages()
    with tarfile.open("site.tar", "w") as archive:
        archive.add("site", "usr/lib/python3/site-packages")
    made = Images()
    config = made.add({"architecture": "amd64", "config": {"Env": []}}, "c")
    rows = [made.add(Path("site.tar").read_bytes(), "application/vnd.oci.image.layer.v1.tar")]
    made.tags["v1"] = made.add({"config": config, "layers": rows}, "application/vnd.oci.image.manifest.v1+json")[
        "digest"
    ]
    site = "usr/lib/python3/site-packages"
    with FakeRegistry(made, "a/b").running() as server:
        where = f"{server.host}/a/b:v1"
        assert scanned(image=where).requirements == {"image_require": []}
        found = scanned(image=where, layers=True).requirements
        loaded = scanned(image=where, layers=True, roots=(f"{site}/ops/_C.so",)).requirements
    assert found["cuda_runtime"] == "12.4.127"
    assert [entry["path"] for entry in found["binaries"]] == [f"{site}/ops/k.cubin"]
    assert "sonames" not in found
    assert loaded["sonames"] == ["libcublas.so.12"]


def test_layers_of_several_platforms_or_beside_a_folder_are_refused() -> None:
    packages()
    with FakeRegistry(images(), "a/b").running() as server:
        with pytest.raises(CouldNotRun, match="several platforms: amd64, arm64"):
            scanned(image=f"{server.host}/a/b:v1", layers=True)
        with pytest.raises(CouldNotRun, match="a folder or the layers"):
            scanned("site", image=f"{server.host}/a/b:v1", layers=True, architecture="amd64")


# --- from end to end ------------------------------------------------------------------------------------------------
def test_a_scan_is_judged() -> None:
    Path("ops.so").write_bytes((DATA / "library.so").read_bytes())
    found = scanned("ops.so", packages=None)
    assert found.requirements["cuda_runtime"] == "13.0"
    too_new = judge(found.requirements, MACHINE)
    assert too_new.verdict == "reject"
    assert "35" in {reason.error for reason in too_new.reasons}


@pytest.mark.parametrize("package, path", models.model_files(".onnx"))
def test_real_models_say_what_they_need(package: str, path: str) -> None:
    """The operators of every real model have a form, and all but a few have types, when inference ran."""
    Path("model.onnx").symlink_to(models.model_file(package, path))
    found = scanned("model.onnx", batch=1)
    operators = found.requirements["onnx"]["operators"]
    assert operators
    assert all(operator["since_version"] for operator in operators)
    assert all(operator["types"] for operator in operators)
    assert found.requirements["dtypes"]
