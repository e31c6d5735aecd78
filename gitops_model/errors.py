"""What can go wrong, in three kinds that never mix.

* Trouble in somebody's file is data: a `Problem`, raised as `BadFile` where reading cannot go on. Checks turn it
  into a finding; the exit code is 1.
* `CouldNotRun` is trouble in the surroundings (arguments, repository, missing extra, I/O); the exit code is 2.
* Any other exception is a bug of ours; the exit code is 3.

    GitopsModelError
    ├── BadFile
    └── CouldNotRun
        └── MissingExtra
"""

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong in one file, as the layer that reads the file saw it.

    `code` is the GMabb code of the rule that owns the page. `line` and `column` count from 1. `hint` is a command
    the user can run next. All texts may hold names taken from the file: renderers make them inert.
    """

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None


class GitopsModelError(Exception):
    """Base of every error that this package raises on purpose."""


class BadFile(GitopsModelError):
    """A file cannot be read on; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class CouldNotRun(GitopsModelError):
    """The work could not be done for a reason outside the files (exit 2); `hint` is what to run next."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class MissingExtra(CouldNotRun):
    """A verb needs an optional part that is not installed."""

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(
            f"this needs the optional package '{module}'",
            hint=f"pip install 'gitops-model[{extra}]'",
        )
        self.extra = extra
