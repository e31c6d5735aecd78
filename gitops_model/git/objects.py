"""Reading and writing small objects, through pygit2 or through the git command line, behind one shape.

libgit2 reads an object in microseconds once it is loaded, which takes 90 ms; a `git cat-file --batch` takes 4 ms to
start and 40 µs an object. So few objects go through git, many through pygit2; where libgit2 refuses the repository
(sha256, reftable, an unknown extension) or would not see all of it (a quarantine), git serves alone.
"""

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gitops_model.errors import CouldNotRun
from gitops_model.git.command import Conversation, Git, failed

if TYPE_CHECKING:
    import pygit2

SMALL = 8 * 1024 * 1024
"""Bytes up to which an object is read at once; libgit2 took 830 MiB for a blob of 400 MB."""

MANY = 400
"""Objects from which importing pygit2 pays for itself."""

STREAMING = (
    "-c",
    "core.bigFileThreshold=1m",
    "-c",
    "core.packedGitWindowSize=8m",
    "-c",
    "core.packedGitLimit=32m",
)
"""Lets `git cat-file` stream a blob instead of holding it."""


class Header(NamedTuple):
    kind: str
    """`blob`, `tree`, `commit` or `tag`."""
    size: int


class Objects(Protocol):
    """Small objects by id."""

    def header(self, oid: str) -> Header | None:
        """Kind and size; None when the object is not here (a partial or shallow clone, a pruned object)."""
        ...

    def read(self, oid: str, limit: int = SMALL) -> bytes | None:
        """The whole content of an object of at most `limit` bytes (CouldNotRun above); None when it is not here."""
        ...

    def close(self) -> None: ...


class GitObjects:
    """Through two `git cat-file` processes that start when first asked."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._running: dict[str, Conversation] = {}

    def _ask(self, how: str, oid: str) -> tuple[Conversation, Header] | None:
        conversation = self._start(how)
        fields = conversation.ask(oid).split()
        if len(fields) == 3 and fields[0] == oid.encode():
            return conversation, Header(fields[1].decode(), int(fields[2]))
        if not fields:  # git dies of an object that a partial clone lacks and may not download
            self._running.pop(how).close()
        return None

    def expect(self) -> None:
        """Start already the process that says the sizes of blobs."""
        self._start("--batch-check")

    def _start(self, how: str) -> Conversation:
        if how not in self._running:
            self._running[how] = self._git.start(*STREAMING, "cat-file", how)
        return self._running[how]

    def header(self, oid: str) -> Header | None:
        answer = self._ask("--batch-check", oid)
        return answer[1] if answer else None

    def read(self, oid: str, limit: int = SMALL) -> bytes | None:
        answer = self._ask("--batch", oid)
        if answer is None:
            return None
        conversation, header = answer
        if header.size > limit:
            self._running.pop("--batch").close()
            raise too_large(oid, header, limit)
        data = conversation.read(header.size)
        conversation.read(1)
        return data

    def close(self) -> None:
        while self._running:
            self._running.popitem()[1].close()


def too_large(oid: str, header: Header, limit: int) -> CouldNotRun:
    return CouldNotRun(f"git object {oid} has {header.size} bytes; at most {limit} are read at once")


class LibraryObjects:
    """Through pygit2."""

    def __init__(self, library: "pygit2.Repository") -> None:
        self.library = library

    def header(self, oid: str) -> Header | None:
        try:
            kind, size = self.library.odb.read_header(oid)
        except KeyError:
            return None
        return Header(kind.name.lower(), size)

    def read(self, oid: str, limit: int = SMALL) -> bytes | None:
        header = self.header(oid)
        if header is None:
            return None
        if header.size > limit:
            raise too_large(oid, header, limit)
        return self.library.odb.read(oid)[1]

    def close(self) -> None:
        self.library.free()


def open_library(git_dir: str, environ: dict[str, str]) -> "pygit2.Repository | None":
    """The repository in pygit2; None where libgit2 refuses it.

    The folder is the one that git itself found from the same environment. The library would take GIT_OBJECT_DIRECTORY
    only from the process, not from the caller's mapping, so a repository in quarantine is left to git.
    """
    if "GIT_OBJECT_DIRECTORY" in environ or "GIT_ALTERNATE_OBJECT_DIRECTORIES" in environ:
        return None
    import pygit2
    from pygit2.enums import RepositoryOpenFlag

    try:
        return pygit2.Repository(git_dir, RepositoryOpenFlag.NO_SEARCH)
    except (pygit2.GitError, KeyError, ValueError, OSError):
        return None


def stream_to(git: Git, oid: str, fd: int) -> None:
    """Write a blob's content to a descriptor.

    git takes 11 MiB for a packed blob of any size. A loose one it maps as a whole, so that pages of the compressed file
    count as its memory; one that is stored as a delta it must hold.
    """
    args = (*STREAMING, "cat-file", "blob", oid)
    result = git.run(*args, stdout=fd)
    if result.code:
        raise failed(("cat-file", oid), result)


def spool(environ: dict[str, str], size: int) -> int:
    """An unlinked temporary file with room for `size` bytes: on disk, since /tmp is memory on many machines."""
    named = environ.get("TMPDIR")
    for folder in (named,) if named else ("/var/tmp", "/tmp"):  # noqa: S108 - the file never has a name
        try:
            room = os.statvfs(folder)
            if room.f_bavail * room.f_frsize < size:
                continue
            return unnamed_file(folder)
        except OSError:
            continue
    raise CouldNotRun(f"no room for a temporary file of {size} bytes", hint="TMPDIR=/a/larger/folder gitops-model …")


def unnamed_file(folder: str) -> int:
    if hasattr(os, "O_TMPFILE"):
        try:
            return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:  # the file system cannot (overlay, NFS)
            pass
    import tempfile

    fd, name = tempfile.mkstemp(dir=folder)
    os.unlink(name)
    return fd
