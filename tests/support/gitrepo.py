"""A scratch git repository that tests write to and commit in, through the git command line."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GitRepo:
    """A repository at `path`; every method runs the real git with the test's scrubbed environment."""

    path: Path

    def git(self, *words: str, check: bool = True, stdin: bytes | None = None) -> str:
        """Run git and return its standard output without the last newline; a failure shows what git said."""
        return self.git_bytes(*words, check=check, stdin=stdin).decode("utf-8", "surrogateescape").removesuffix("\n")

    def git_bytes(self, *words: str, check: bool = True, stdin: bytes | None = None) -> bytes:
        """Run git and return its standard output as it is."""
        done = subprocess.run(["git", *words], cwd=self.path, input=stdin or b"", capture_output=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(
                f"git {' '.join(words)} exits {done.returncode}:\n{done.stderr.decode(errors='replace')}"
            )
        return done.stdout

    def write(self, name: str, content: str | bytes) -> Path:
        """Write one file below the work tree, with the folders it needs."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def commit(self, message: str = "Change", files: dict[str, str | bytes] | None = None) -> str:
        """Write `files`, add everything, commit (also when nothing changed); returns the commit's id."""
        for name, content in (files or {}).items():
            self.write(name, content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def init(path: Path, *, bare: bool = False, object_format: str = "sha1") -> GitRepo:
    """Make an empty repository at `path` (which need not exist)."""
    path.mkdir(parents=True, exist_ok=True)
    repo = GitRepo(path)
    repo.git("init", "--quiet", f"--object-format={object_format}", *(["--bare"] if bare else []))
    return repo
