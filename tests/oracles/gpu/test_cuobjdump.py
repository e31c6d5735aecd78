"""The scanner against NVIDIA's cuobjdump: the same number of images per kind and architecture, wherever it can read.

With --update-golden the counts of the real libraries are written, and the headers that the scanner read of them, so
that `make test` checks the same without a download.
"""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support import cuda

from gitops_model.blob import Blob
from gitops_model.gpu.fatbin import SECTIONS, Scan, scan

DATA = cuda.DATA / "gpu"
COMMITTED = sorted(path for path in DATA.iterdir() if path.suffix in {".fatbin", ".cubin", ".o", ".so"})

PLAIN = ["75", "80", "86", "87", "88", "89", "90", "100", "103", "110", "120", "121"]
SPECIAL = ["90a", "100a", "103a", "110a", "120a", "121a"]
FAMILY = ["100f", "103f", "110f", "120f", "121f"]


def gencodes() -> list[tuple[str, ...]]:
    """Sets of `-gencode` options: every target alone as SASS, as PTX, and mixtures as libraries are built."""
    every = [*PLAIN, *SPECIAL, *FAMILY]
    alone = [f"-gencode=arch=compute_{arch},code={kind}_{arch}" for arch in every for kind in ("sm", "compute")]
    pairs = [f"-gencode=arch=compute_{arch},code=[sm_{arch},compute_{arch}]" for arch in every]
    sets: list[tuple[str, ...]] = [(code,) for code in alone]
    sets += [tuple(pairs[start : start + 4]) for start in range(0, len(pairs), 4)]
    sets += [("-arch=all",), ("-arch=all-major",)]
    sets += [("-gencode=arch=compute_75,code=[sm_75,sm_80,sm_86,sm_89]", *pairs[6:8])]
    return sets


FORMS = (
    ("k.fatbin", ("-fatbin",)),
    ("k.fatbin", ("-fatbin", "-Xfatbin=-compress-all,-compress-mode=size")),
    ("k.fatbin", ("-fatbin", "-Xfatbin=-compress-all,-compress-mode=speed")),
    ("k.fatbin", ("-fatbin", "-no-compress")),
    ("k.o", ("-c",)),
    ("k.o", ("-dc",)),
    ("libk.so", ("-shared", "-cudart=none", "-Xcompiler=-fPIC")),
)


@pytest.fixture(scope="session")
def cuobjdump(tmp_path_factory: pytest.TempPathFactory) -> cuda.Cuobjdump:
    return cuda.Cuobjdump(tmp_path_factory.mktemp("cuobjdump"))


def ours(path: Path) -> Scan:
    with Blob.of_file(path) as blob:
        found = scan(blob)
    assert not found.problems
    return found


def registered(found: Scan) -> dict[str, int]:
    """Without what lies in other data sections: cuobjdump does not look there."""
    for key in [key for key in found.containers if key[0] and key[0] not in SECTIONS]:
        del found.containers[key]
    return cuda.without_family(found.counts())


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_the_committed_files(cuobjdump: cuda.Cuobjdump, path: Path) -> None:
    assert registered(ours(path)) == cuobjdump.counts(path)


@pytest.mark.parametrize("number", range(len(gencodes())))
def test_what_nvcc_makes(cuobjdump: cuda.Cuobjdump, tmp_path: Path, number: int) -> None:
    """Each set in one form, in turn: about two seconds per set."""
    if shutil.which("nvcc") is None:
        pytest.fail("nvcc is not installed: this oracle compiles", pytrace=False)
    (tmp_path / "k.cu").write_text('extern "C" __global__ void k(int *p) { p[threadIdx.x] = 1; }\n')
    name, options = FORMS[number % len(FORMS)]
    subprocess.run(["nvcc", *options, *gencodes()[number], "k.cu", "-o", name], check=True, cwd=tmp_path)
    counts = registered(ours(tmp_path / name))
    assert counts == cuobjdump.counts(tmp_path / name)
    assert counts


def test_many_files_in_one_library(cuobjdump: cuda.Cuobjdump, tmp_path: Path) -> None:
    """Relocatable device code, linked: containers of both sections, several of each."""
    if shutil.which("nvcc") is None:
        pytest.fail("nvcc is not installed: this oracle compiles", pytrace=False)
    codes = ["-gencode=arch=compute_80,code=sm_80", "-gencode=arch=compute_90a,code=[sm_90a,compute_90a]"]
    for name, other in itertools.pairwise(["a", "b", "c", "d"]):
        text = f"extern __device__ int {other}(); __device__ int {name}() {{ return {other}(); }}\n"
        (tmp_path / f"{name}.cu").write_text(text)
    (tmp_path / "d.cu").write_text(
        "__device__ int d() { return 1; }\nextern __device__ int a();\n__global__ void k(int *p) { *p = a(); }\n"
    )
    sources, objects = ([f"{name}.{ending}" for name in "abcd"] for ending in ("cu", "o"))
    for command in (
        ["nvcc", "-dc", "-Xcompiler=-fPIC", *codes, *sources],
        ["nvcc", "-dlink", "-Xcompiler=-fPIC", *codes, *objects, "-o", "linked.o"],
        ["gcc", "-shared", *objects, "linked.o", "-o", "libx.so"],
    ):
        subprocess.run(command, check=True, cwd=tmp_path)
    found = ours(tmp_path / "libx.so")
    assert {section for section, _ in found.containers} == set(SECTIONS)
    assert registered(found) == cuobjdump.counts(tmp_path / "libx.so")


@pytest.mark.parametrize("requirement, member", cuda.LIBRARIES)
def test_real_libraries(
    cuobjdump: cuda.Cuobjdump, request: pytest.FixtureRequest, requirement: str, member: str
) -> None:
    path = cuda.real(requirement, member)
    with Blob.of_file(path) as blob:
        recorder = cuda.Recorder(blob)
        found = scan(recorder)
    assert not found.problems
    embedded = cuda.without_family(found.counts())
    theirs = cuobjdump.counts(path)
    assert registered(found) == theirs
    if request.config.getoption("--update-golden"):
        name = path.name
        cuda.BONES.mkdir(exist_ok=True)
        if len(bones := recorder.bones()) <= cuda.MAX_BONES:
            (cuda.BONES / f"{name}.bones").write_bytes(bones)
        golden = cuda.BONES / "counts.json"
        table = json.loads(golden.read_text()) if golden.exists() else {}
        table[name] = {"from": requirement, "registered": theirs, "with embedded": embedded}
        golden.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
