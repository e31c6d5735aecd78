"""Running the installed program as a user does: another process, a scrubbed environment, no terminal."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """What one run gave: exit code (negative: killed by that signal), and both streams as bytes."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8")

    @property
    def err(self) -> str:
        return self.stderr.decode("utf-8")

    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Program:
    """A console script of ours. Calling it runs it; `check` states the exit code that the test expects."""

    path: Path

    def __call__(
        self,
        *words: str | os.PathLike[str],
        cwd: Path | None = None,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        check: int | None = None,
        timeout: float = 120,
    ) -> Result:
        done = subprocess.run(
            [self.path, *words],
            cwd=cwd,
            input=stdin,
            env=os.environ | (env or {}),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        if check is not None:
            assert result.code == check, f"exit {result.code}, not {check}\n{result.out}\n{result.err}"
        return result
