"""A source that opens the files of one folder."""

from pathlib import Path

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, path: str) -> Blob:
        if not (self.folder / path).is_file():
            raise BadFile(Problem("GM010", f"{path!r} is not there"))
        return Blob.of_file(self.folder / path, path)
