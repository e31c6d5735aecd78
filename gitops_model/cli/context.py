"""What a verb is given of its process: environment, folder, streams. Nothing below cli/ reads these itself."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO


@dataclass(slots=True)
class Context:
    """`stdout` is the result, `stderr` is talk."""

    environ: Mapping[str, str]
    cwd: str
    stdout: TextIO
    stderr: TextIO

    @classmethod
    def of_process(cls, environ: Mapping[str, str]) -> "Context":
        return cls(environ, os.getcwd(), sys.stdout, sys.stderr)

    def say(self, message: str, *, hint: str | None = None) -> None:
        """A line of talk, made inert, with the command to run next on a line of its own."""
        from gitops_model.render.inert import for_terminal

        print(for_terminal(message), file=self.stderr)
        if hint:
            print(f"  hint: {for_terminal(hint)}", file=self.stderr)

    def flush(self) -> None:
        self.stdout.flush()
        self.stderr.flush()
