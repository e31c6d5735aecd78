"""Starting git: argument lists, bytes in and out, the caller's environment.

`os.posix_spawn` rather than `subprocess`, whose import alone takes longer than most of the git commands it would start.
Standard input is a file in memory and so is standard error: nothing can block on a full pipe.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.environment import offline
from gitops_model.git.paths import raw

CHUNK = 1 << 20
ERROR_LIMIT = 1 << 16
"""Bytes of standard error that are kept."""

SIGPIPE, SIGTERM = 13, 15
"""As on every system that has `posix_spawn`; the module `signal` makes enumerations first, for as long as git runs."""


class Result(NamedTuple):
    code: int
    out: bytes
    error: str

    @property
    def said(self) -> str:
        """The line of standard error that matters most, without git's prefix."""
        lines = [line.strip() for line in self.error.splitlines() if line.strip()]
        for line in lines:
            if line.startswith(("fatal: ", "error: ")):
                return line.partition(": ")[2]
        return lines[-1] if lines else f"git ended with {self.code}"


class TimedOut(CouldNotRun):
    """git did not finish in the time it was given."""


class Git:
    """git, run in `folder` with `environ` (already `environment.for_this` or `for_other`)."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = dict(environ)
        self._ahead: dict[tuple[object, ...], list[Running]] = {}

    def expect(self, *args: str, env: Mapping[str, str] | None = None, times: int = 1) -> None:
        """Start a command now that `run` will be asked for soon: git works while we import, on another processor.

        The answer is the one of this moment, and is given `times` times.
        """
        key = (args, env and tuple(env.items()))
        if key not in self._ahead:
            self._ahead[key] = [self._begin(args, env=env)] * times

    def close(self) -> None:
        """End what was expected and then not asked for."""
        self._ahead.clear()

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        stdout: int | None = None,
        timeout: float | None = None,
        network: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run to the end. `stdout` is a descriptor that gets the output instead; only `network` may download.

        With `timeout`, git gets a process group of its own, so that its helpers (ssh, git-remote-https) end with it;
        it can then ask nothing on the terminal.
        """
        plain = not stdin and stdout is None and timeout is None and not network
        waiting = self._ahead.get((args, env and tuple(env.items()))) if plain else None
        if waiting:
            return waiting.pop().result()
        running = self._begin(args, stdin, stdout, network=network, env=env, group=timeout is not None)
        try:
            return running.result(timeout)
        finally:
            running.close()

    def _begin(
        self,
        args: tuple[str, ...],
        stdin: bytes = b"",
        stdout: int | None = None,
        *,
        network: bool = False,
        env: Mapping[str, str] | None = None,
        group: bool = False,
    ) -> "Running":
        error_fd = memory_file()
        input_fd = memory_file(stdin) if stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        reader, writer = (-1, stdout) if stdout is not None else os.pipe()
        try:
            pid = self._spawn(args, (input_fd, writer, error_fd), network, env, group)
        except BaseException:
            os.close(error_fd)
            if stdout is None:
                os.close(reader)
            raise
        finally:
            os.close(input_fd)
            if stdout is None:
                os.close(writer)
        return Running(pid, reader, error_fd, group)

    def out(self, *args: str, stdin: bytes = b"") -> bytes:
        """Standard output of a command that must succeed."""
        result = self.run(*args, stdin=stdin)
        if result.code:
            raise failed(args, result)
        return result.out

    def start(self, *args: str) -> "Conversation":
        """A process that answers line by line (`cat-file --batch`)."""
        from_us, to_git = os.pipe()
        from_git, to_us = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            pid = self._spawn(args, (from_us, to_us, null), network=False, env=None)
        except BaseException:
            os.close(to_git)
            os.close(from_git)
            raise
        finally:
            for fd in (from_us, to_us, null):
                os.close(fd)
        return Conversation(pid, to_git, from_git)

    def _spawn(
        self,
        args: tuple[str, ...],
        fds: tuple[int, int, int],
        network: bool,
        env: Mapping[str, str] | None,
        group: bool = False,
    ) -> int:
        environ = {**self.environ, **env} if env else self.environ
        argv: list[bytes] = [b"git", b"-C", raw(self.folder), *map(raw, args)]
        own_group: dict[str, Any] = {"setpgroup": 0} if group else {}
        return os.posix_spawn(
            executable(self.environ),
            argv,
            environ if network else offline(environ),
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)],
            setsigdef=[SIGPIPE],
            **own_group,
        )


class Running:
    """A command under way. `reader` gives its output, -1 where that goes elsewhere. It ends when it is forgotten."""

    def __init__(self, pid: int, reader: int, error_fd: int, group: bool) -> None:
        self._pid = pid
        self._reader = reader
        self._error_fd = error_fd
        self._group = group
        self._result: Result | None = None

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the end."""
        if self._result is not None:
            return self._result
        out = read_all(self._reader, timeout) if self._reader >= 0 else b""
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._pid = 0
        size = os.fstat(self._error_fd).st_size
        said = os.pread(self._error_fd, ERROR_LIMIT, max(0, size - ERROR_LIMIT))
        self._result = Result(code, out, said.decode("utf-8", "replace"))
        return self._result

    def close(self) -> None:
        pid, self._pid = self._pid, 0
        if pid:
            stop(pid, group=self._group)
        for fd in (self._reader, self._error_fd):
            if fd >= 0:
                os.close(fd)
        self._reader = self._error_fd = -1

    def __del__(self) -> None:
        self.close()


class Conversation:
    """A running process with a pipe to it and a pipe from it. It ends when it is closed or forgotten."""

    def __init__(self, pid: int, to_git: int, from_git: int) -> None:
        self._pid = pid
        self._to_git = to_git
        self._from_git = from_git
        self._buffer = b""

    def ask(self, line: str) -> bytes:
        """The first line of the answer without its end; empty when the process is gone."""
        try:
            os.write(self._to_git, line.encode() + b"\n")
        except BrokenPipeError:
            return b""
        while b"\n" not in self._buffer:
            part = os.read(self._from_git, CHUNK)
            if not part:
                return b""
            self._buffer += part
        answer, _, self._buffer = self._buffer.partition(b"\n")
        return answer

    def read(self, length: int) -> bytes:
        """The next `length` bytes of the answer."""
        parts = [self._buffer[:length]]
        self._buffer = self._buffer[length:]
        missing = length - len(parts[0])
        while missing:
            part = os.read(self._from_git, min(missing, CHUNK))
            if not part:
                raise CouldNotRun("git ended in the middle of an answer")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        if self._pid:
            pid, self._pid = self._pid, 0
            os.close(self._to_git)
            os.close(self._from_git)
            stop(pid)

    def __del__(self) -> None:
        self.close()


RAW_DIFF = (
    "diff",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-relative",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--ignore-submodules=none",
    "-O/dev/null",
)
"""The part that holds whatever `diff.*` the user configured."""


def executable(environ: Mapping[str, str]) -> str:
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder or ".", "git")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise CouldNotRun("git is not installed, or not on PATH")


def failed(args: tuple[str, ...], result: Result) -> CouldNotRun:
    """The error for a command that failed, with what to run next where git's message shows it."""
    if "dubious ownership" in result.error:
        folder = result.error.partition("repository at '")[2].partition("'")[0]
        return CouldNotRun(
            f"git refuses the repository {folder}: another user owns it (safe.directory)",
            hint=f"git config --global --add safe.directory '{folder}'",
        )
    if "from promisor remote" in result.error or ("transport '" in result.error and "not allowed" in result.error):
        return CouldNotRun(
            f"git {args[0]}: an object of this partial clone is not downloaded",
            hint="git fetch --refetch --no-filter",
        )
    return CouldNotRun(f"git {args[0]}: {result.said}")


def memory_file(content: bytes = b"") -> int:
    """A file in memory, at its start."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("git", os.MFD_CLOEXEC)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def read_all(fd: int, timeout: float | None) -> bytes:
    parts: list[bytes] = []
    if timeout is None:
        while part := os.read(fd, CHUNK):
            parts.append(part)
        return b"".join(parts)
    import select
    import time

    end = time.monotonic() + timeout
    while True:
        ready, _, _ = select.select([fd], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimedOut(f"git did not answer within {timeout:g} seconds")
        part = os.read(fd, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def stop(pid: int, *, group: bool = False) -> None:
    (os.killpg if group else os.kill)(pid, SIGTERM)  # not yet waited for, so the number is still its own
    os.waitpid(pid, 0)
