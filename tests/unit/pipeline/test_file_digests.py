"""Whole-file digests are those of the reference implementations, and read the file once."""

import hashlib
from pathlib import Path

import pytest
from blake3 import blake3

from gitops_model.blob import WINDOW, Blob
from gitops_model.pipeline.file_digests import PARALLEL, file_digests

SIZES = [0, 1, 4096, PARALLEL - 1, PARALLEL, WINDOW, WINDOW + 1, 2 * WINDOW + 4097]
ALL = ("sha256", "sha512", "blake3")


@pytest.mark.parametrize("size", SIZES)
def test_the_digests_of_a_file(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    (tmp_path / "f").write_bytes(content)
    expected = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "sha512": hashlib.sha512(content).hexdigest(),
        "blake3": blake3(content).hexdigest(),
    }
    with Blob.of_file(tmp_path / "f") as blob:
        assert file_digests(blob, ALL) == expected
    assert file_digests(Blob.of_bytes("f", content), ALL) == expected


def test_several_algorithms_take_one_pass() -> None:
    passes: list[int] = []

    class Counted(Blob):
        def windows(self, offset: int, length: int, step: int = WINDOW):  # type: ignore[no-untyped-def]
            passes.append(length)
            return super().windows(offset, length, step)

    told: list[int] = []
    assert set(file_digests(Counted("f", 5, data=b"12345"), ALL, told.append)) == set(ALL)
    assert (passes, sum(told)) == ([5], 5)
    assert file_digests(Counted("f", 5, data=b"12345"), ()) == {}
    assert passes == [5], "nothing is read for no digest"
