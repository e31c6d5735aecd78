"""DVC: `NAME.dvc` files and `dvc.lock` say which content belongs at which path, by MD5; the content is in a cache.

Written from https://dvc.org/doc/user-guide/project-structure and from what DVC 3.67 writes. DVC emits plain block
YAML; that much is read here, line by line, and anything else is not understood, so that a hostile file costs nothing.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from gitops_model.blob import Blob, Pointer
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.digest import digest
from gitops_model.git.disk import open_below
from gitops_model.git.paths import folder_of, resolve

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository

LISTING_LIMIT = 8 << 20
"""Bytes of the listing of a folder."""

_MD5 = re.compile(r"([0-9a-f]{32})(\.dir)?")
_OUTS = re.compile(r"( *)outs:\s*")
_ITEM = re.compile(r"( *)(- +)?(\w+):(?: +(.*))?")


class Out(NamedTuple):
    """A file, or with `is_folder` a folder, that a pointer stands for: its path from the root, MD5 and size."""

    path: str
    md5: str
    size: int | None
    is_folder: bool = False

    @property
    def pointer(self) -> Pointer:
        return Pointer("dvc", "md5", self.md5, self.size)


def parse(data: bytes, path: str) -> tuple[Out, ...]:
    """The outputs that the file at `path` names; those that lie outside the repository or have no MD5 are left out."""
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return ()
    folder = folder_of(path)
    with suppress(BadFile):
        for line in lines:
            if line.startswith("wdir:") and (wdir := _scalar(line[5:])) not in (None, "."):
                folder = folder_of(resolve(folder, f"{wdir}/x"))
    found: list[Out] = []
    for fields in _items(lines):
        md5 = _MD5.fullmatch(fields.get("md5", ""))
        name = fields.get("path")
        if md5 is None or not name:
            continue
        with suppress(BadFile):
            size = fields.get("size", "")
            number = int(size) if size.isascii() and size.isdigit() and len(size) < 20 else None
            found.append(Out(resolve(folder, name), md5[1], number, md5[2] is not None))
    return tuple(found)


def _items(lines: list[str]) -> Iterator[dict[str, str]]:
    """The mappings of every list called `outs`; what is nested deeper in them is left out."""
    key: int | None = None  # the column of `outs`, while inside one
    dash: int | None = None  # the column of the dashes of its list
    item: dict[str, str] = {}
    column = 0  # of the keys of the present item
    for line in lines:
        start = _OUTS.fullmatch(line)
        if start is not None:
            key, dash = len(start[1]), None
            continue
        entry = _ITEM.fullmatch(line)
        if key is None or entry is None:
            continue
        indent = len(entry[1])
        if entry[2] and indent >= key and dash in (None, indent):
            if item:
                yield item
            item, dash, column = {}, indent, indent + len(entry[2])
        elif not entry[2] and indent <= key:
            key = None
            continue
        value = _scalar(entry[4] or "")
        if indent + len(entry[2] or "") == column and value is not None:
            item.setdefault(entry[3], value)
    if item:
        yield item


def _scalar(text: str) -> str | None:
    """A plain or quoted scalar without escapes; None for anything else."""
    text = text.strip()
    if text.startswith("'"):
        return text[1:-1].replace("''", "'") if len(text) > 1 and text.endswith("'") else None
    if text.startswith('"'):
        return text[1:-1] if len(text) > 1 and text.endswith('"') and "\\" not in text else None
    if text[:1] in ("|", ">", "&", "*", "!", "[", "{", "%", "@", "`"):
        return None
    return text.partition(" #")[0].rstrip()


class Cache:
    """What is in `.dvc/cache`, and in the work tree where it has the right MD5.

    A cache elsewhere is not looked for: `.dvc/config` comes with the repository, and must not point us outside it.
    """

    def __init__(self, repository: "Repository") -> None:
        self._root = repository.root

    def open(self, out: Out) -> int | None:
        """A descriptor of the content of a file, if it is here."""
        fd = self._cached(out.path, out.md5)
        if fd is None and self._root is not None and not out.is_folder:
            fd = self._in_work_tree(out)
        return fd

    def listing(self, out: Out) -> tuple[Out, ...]:
        """The files of a folder, if its listing is here."""
        fd = self._cached(out.path, f"{out.md5}.dir")
        if fd is None:
            return ()
        with Blob.of_fd(out.path, fd) as blob:
            if blob.size > LISTING_LIMIT:
                return ()
            try:
                items: Any = json.loads(blob.read(0, blob.size))
            except (ValueError, RecursionError):
                return ()
        found: list[Out] = []
        for item in cast("list[Any]", items) if isinstance(items, list) else ():
            fields = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
            md5, name = fields.get("md5"), fields.get("relpath")
            if isinstance(md5, str) and isinstance(name, str) and re.fullmatch("[0-9a-f]{32}", md5):
                with suppress(BadFile):
                    found.append(Out(resolve(out.path, name), md5, None))
        return tuple(found)

    def _cached(self, path: str, name: str) -> int | None:
        if self._root is None:
            return None
        folder = folder_of(path)
        while True:
            base = f"{folder}/.dvc/cache" if folder else ".dvc/cache"
            for layout in (f"{base}/files/md5", base):  # DVC 3, DVC 2
                with suppress(BadFile, CouldNotRun):
                    return open_below(self._root, f"{layout}/{name[:2]}/{name[2:]}", path)
            if not folder:
                return None
            folder = folder_of(folder)

    def _in_work_tree(self, out: Out) -> int | None:
        try:
            blob = Blob.of_fd(out.path, open_below(self._root or "", out.path, out.path))
        except (BadFile, CouldNotRun):
            return None
        with blob:
            if (out.size is None or out.size == blob.size) and digest(blob, "md5") == out.md5:
                return blob.duplicate()
        return None
