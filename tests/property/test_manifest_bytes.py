"""Any bytes give problems and never an exception; mutated manifests stay within every limit."""

import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import walk

from gitops_model.blob import Blob
from gitops_model.checks import CHECKS
from gitops_model.errors import Problem
from gitops_model.manifest import load

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


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    judged(data)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    judged(text.encode("utf-8", "surrogatepass"))


@given(st.lists(PIECES, max_size=60).map("".join))
def test_pieces_of_yaml(text: str) -> None:
    judged(text.encode())


@settings(max_examples=200)
@given(st.data())
def test_mutated_manifests(data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(seed)))
        removed = data.draw(st.integers(0, 5))
        seed[at : at + removed] = data.draw(st.one_of(st.binary(max_size=4), PIECES.map(str.encode)))
    judged(bytes(seed))


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
