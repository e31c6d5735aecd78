"""Any bytes give problems and never an exception; mutated manifests stay within every limit."""

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import CASES, walk

from gitops_model.blob import Blob
from gitops_model.checks import CHECKS
from gitops_model.errors import Problem
from gitops_model.manifest import load
from gitops_model.pipeline.check import check
from gitops_model.pipeline.fix import fix

SEEDS = [
    path.read_bytes()
    for case in walk("manifest/good") + walk("manifest/bad")
    for path in [case / "model.yaml"]
    if path.exists() and path.stat().st_size < 5000
]
PIECES = st.sampled_from(
    ["a", "b: ", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "'", '"', "|\n", ">\n", "#", "\n", "  ", "\t",
     "%T\n", "---\n", "...\n", "<<: ", "name: ", "checksums: ", "inputs: ", "~", "\\", "é", "\r\n", ":", "sha256: "]
)  # fmt: skip


def judged(data: bytes) -> tuple[Problem, ...]:
    """Load, and hold the answer to its contract."""
    start = time.process_time()
    manifest, problems = load(Blob.of_bytes("model.yaml", data))
    assert time.process_time() - start < 5
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in problems:
        assert problem.code in CHECKS
        assert problem.message
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.line <= lines
        assert 1 <= problem.column <= len(data) + 1
    assert manifest is not None or problems
    if manifest is not None:
        for listed in manifest.checksums.values():
            for digest in listed.digests:
                if digest.fixable:
                    assert data[digest.start : digest.end] == digest.value.encode()
    return problems


@pytest.mark.fuzz
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    judged(data)


@pytest.mark.fuzz
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    judged(text.encode("utf-8", "surrogatepass"))


@pytest.mark.fuzz
@given(st.lists(PIECES, max_size=60).map("".join))
def test_pieces_of_yaml(text: str) -> None:
    judged(text.encode())


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A manifest of the cases with a few bytes taken out, and others or a piece of YAML put in."""
    seed = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(seed)))
        removed = draw(st.integers(0, 5))
        seed[at : at + removed] = draw(st.one_of(st.binary(max_size=4), PIECES.map(str.encode)))
    return bytes(seed)


@pytest.mark.fuzz
@given(mutated())
def test_mutated_manifests(data: bytes) -> None:
    judged(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that the manifests of the cases list."""
    folder = tmp_path_factory.mktemp("mutated")
    shutil.copytree(CASES / "manifest/bad/signature_dtype", folder, dirs_exist_ok=True)
    shutil.copytree(CASES / "manifest/good/two_manifests", folder, dirs_exist_ok=True)
    (folder / "weights.bin").write_bytes(b"weights\n")
    return folder


@pytest.mark.fuzz
@given(data=mutated())
def test_a_mutated_manifest_is_checked_and_mended_without_failing(folder: Path, data: bytes) -> None:
    (folder / "model.yaml").write_bytes(data)
    before = check(str(folder), os.environ, paths=["model.yaml"])
    fixed = fix(str(folder), os.environ, paths=["model.yaml"])
    after = (folder / "model.yaml").read_bytes()
    assert len(after) == len(data)
    assert (after == data) == (not fixed.written)
    left = [finding for finding in before.findings if finding.code != "GM201"]
    assert [finding for finding in fixed.report.findings if finding.code != "GM201"] == left


def test_every_beginning_of_a_manifest() -> None:
    text = (Path(__file__).parent.parent / "cases/manifest/good/all_sections/model.yaml").read_bytes()
    for length in range(0, len(text), 7):
        judged(text[:length])


@given(
    st.permutations(
        ["name: m", "version: 1.0.0", "architecture: amd64", "checksums: {a: {sha256: '" + "0" * 64 + "'}}"]
    )
)
def test_the_order_of_keys_means_nothing(lines: list[str]) -> None:
    assert judged("\n".join(lines).encode()) == ()
