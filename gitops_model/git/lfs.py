"""Git LFS: pointers read strictly, content taken from where it already is, a download only on request.

The format is https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: `version` first, the other keys sorted, one
blank between key and value, LF, under 1024 bytes.
"""

import os
import re
from typing import TYPE_CHECKING

from gitops_model.blob import Pointer
from gitops_model.errors import CouldNotRun
from gitops_model.git.paths import raw, text

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository

POINTER_LIMIT = 1024
VERSION = b"version https://git-lfs.github.com/spec/v1\n"

_OID = rb"sha256:([0-9a-f]{64})"
_SIZE = rb"0|[1-9][0-9]{0,18}"
_EXTENSION = rb"ext-[0-9]-[a-z0-9.-]+"


def parse(data: bytes) -> Pointer | None:
    """The pointer that `data` is, byte for byte; None when it is anything else."""
    if len(data) >= POINTER_LIMIT or not data.startswith(VERSION) or not data.endswith(b"\n"):
        return None
    values: dict[bytes, bytes] = {}
    keys: list[bytes] = []
    for line in data[len(VERSION) : -1].split(b"\n"):
        key, blank, value = line.partition(b" ")
        if not blank or not (key in (b"oid", b"size") or (re.fullmatch(_EXTENSION, key) and re.fullmatch(_OID, value))):
            return None
        keys.append(key)
        values[key] = value
    oid = re.fullmatch(_OID, values.get(b"oid", b""))
    size = re.fullmatch(_SIZE, values.get(b"size", b""))
    if oid is None or size is None or keys != sorted(set(keys)):
        return None
    return Pointer("lfs", "sha256", oid[1].decode(), int(size[0]))


class Store:
    """The objects that git-lfs keeps below the common git directory, or below `lfs.storage`."""

    def __init__(self, repository: "Repository") -> None:
        self._repository = repository
        self._folder: str | None = None

    @property
    def folder(self) -> str:
        if self._folder is None:
            result = self._repository.git.run("config", "--type=path", "-z", "--get", "lfs.storage")
            named = text(result.out.rstrip(b"\0")) if result.code == 0 else ""
            self._folder = os.path.join(self._repository.common_dir, named or "lfs")
        return self._folder

    def open(self, pointer: Pointer) -> int | None:
        """A descriptor of the content if it is here and has the pointer's size."""
        name = pointer.digest
        path = os.path.join(self.folder, "objects", name[:2], name[2:4], name)
        try:
            fd = os.open(raw(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None
        if has_size(fd, pointer):
            return fd
        os.close(fd)
        return None

    def put(self, fd: int) -> bytes:
        """Keep the content of an open file, and give the pointer that stands for it."""
        import hashlib
        import tempfile

        size = os.fstat(fd).st_size
        folder = os.path.join(self.folder, "objects")
        os.makedirs(folder, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix="gitops-model-", dir=folder)
        try:
            digest, at = hashlib.sha256(), 0
            with open(handle, "wb") as out:
                while chunk := os.pread(fd, 1 << 20, at):
                    digest.update(chunk)
                    out.write(chunk)
                    at += len(chunk)
                out.flush()
                os.fsync(out.fileno())
            name = digest.hexdigest()
            inner = os.path.join(folder, name[:2], name[2:4])
            os.makedirs(inner, exist_ok=True)
            os.chmod(draft, 0o444)
            os.replace(draft, os.path.join(inner, name))
        except BaseException:
            os.unlink(draft)
            raise
        return VERSION + f"oid sha256:{name}\nsize {size}\n".encode()

    def fetch(self, pointer: Pointer, path: str, data: bytes) -> None:
        """Download the content of the pointer whose bytes are `data`, with the user's own git-lfs and credentials."""
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            result = self._repository.git.run(
                "lfs", "smudge", "--", path, stdin=data, stdout=null, network=True, env={"GIT_LFS_SKIP_SMUDGE": "0"}
            )
        finally:
            os.close(null)
        if result.code:
            raise CouldNotRun(f"{path}: git lfs could not download {pointer.digest}: {result.said}")


def has_size(fd: int, pointer: Pointer) -> bool:
    import stat

    info = os.fstat(fd)
    return stat.S_ISREG(info.st_mode) and info.st_size == pointer.size
