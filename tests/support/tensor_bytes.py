"""What TensorBytes gives for one locator, and what it refuses."""

import pytest

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator
from gitops_model.readers.bytes import TensorBytes


class Files:
    """A source of in-memory files that counts what is opened and closed."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.opened: list[str] = []
        self.closed: list[str] = []

    def open(self, path: str) -> Blob:
        if path not in self.files:
            raise BadFile(Problem("GM010", f"{path} is not there"))
        self.opened.append(path)
        blob = Blob.of_bytes(path, self.files[path])
        blob.close = lambda: self.closed.append(path)  # type: ignore[method-assign]
        return blob


def got(content: bytes, locator: Locator, source: "Files | NoSource | None" = None) -> bytes:
    with TensorBytes(Blob.of_bytes("m", content), source or NoSource()) as data:
        return b"".join(bytes(chunk) for chunk in data.chunks(locator))


def refused(content: bytes, locator: Locator, source: "Files | NoSource | None" = None) -> Problem:
    with pytest.raises(BadFile) as caught:
        got(content, locator, source)
    return caught.value.problem
