"""Bringing what a shallow or partial clone lacks: commits, the merge base, and the content of some blobs.

A runner's checkout has one commit. What is fetched beyond the tips comes without file contents (`--filter=blob:none`):
the history of a repository of models is large, and only the changed files are looked at.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitops_model.errors import CouldNotRun

if TYPE_CHECKING:
    from gitops_model.git.command import Result
    from gitops_model.git.repository import Repository

DEPTHS = (50, 250, 1000, 5000)
"""Commits by which the history is deepened, one after the other, before all of it is fetched."""

TIMEOUT = 600.0

_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")


class Remote:
    """Where missing objects come from; `env` holds what git needs to ask nobody. Without a name nothing is fetched."""

    def __init__(self, repository: "Repository", name: str | None) -> None:
        from gitops_model.git.sync import quiet

        self.repository = repository
        self.name = name
        self._env = quiet(repository) if name is not None else {}

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names, fetched when it is a whole id that is not here."""
        found = self.repository.lookup(revision)
        if found is not None:
            return found
        if self.name is None or len(revision) != 2 * self.repository.id_length or not _is_hex(revision):
            return self.repository.resolve(revision)
        depth = ("--depth=1",) if self.repository.is_shallow else ()
        result = self._fetch(*depth, self.name, revision)
        if result.code:
            raise CouldNotRun(f"the commit {revision} is not here and cannot be fetched: {result.said}")
        return self.repository.resolve(revision)

    def merge_base(self, base: str, head: str) -> str:
        """The commit where `head` left `base`, the history deepened as far as that takes."""
        found = self._merge_base(base, head)
        if found is not None:
            return found
        shallow = self._is_shallow()
        if shallow and self.name is not None:
            for depth in (*(f"--deepen={depth}" for depth in DEPTHS), "--unshallow"):
                result = self._fetch("--filter=blob:none", depth, self.name, base, head)
                if result.code:
                    raise CouldNotRun(f"the history cannot be deepened: {result.said}")
                deeper = self._merge_base(base, head)
                if deeper is not None:
                    return deeper
                if not self._is_shallow():
                    break
            found = self._merge_base(base, head)
        if found is None:
            hint = "git fetch --unshallow" if shallow and self.name is None else None
            raise CouldNotRun(f"{base[:12]} and {head[:12]} have no common history here", hint=hint)
        return found

    def blobs(self, oids: Iterable[str]) -> None:
        """Make the content of these blobs local, in one request; those that cannot be had stay missing."""
        wanted = list(dict.fromkeys(oids))
        if self.name is None or not wanted:
            return
        objects = self.repository.objects()
        missing = [oid for oid in wanted if objects.header(oid) is None]
        if missing:
            self._fetch("--filter=blob:none", "--stdin", self.name, stdin="\n".join(missing).encode() + b"\n")

    def _merge_base(self, base: str, head: str) -> str | None:
        result = self.repository.git.run("merge-base", "--", base, head)
        return result.out.decode().split()[0] if result.code == 0 and result.out.strip() else None

    def _is_shallow(self) -> bool:
        return self.repository.git.out("rev-parse", "--is-shallow-repository").strip() == b"true"

    def _fetch(self, *args: str, stdin: bytes = b"") -> "Result":
        from gitops_model.git.command import Result, TimedOut

        try:
            return self.repository.git.run(*_FETCH, *args, network=True, env=self._env, timeout=TIMEOUT, stdin=stdin)
        except TimedOut as error:
            return Result(128, b"", f"fatal: {error}")


def _is_hex(text: str) -> bool:
    return not text.strip("0123456789abcdef")
