"""Asking git which repository a folder is in, apart from what is done with the answer: asking needs little."""

from collections.abc import Mapping

from gitops_model.git.command import Git
from gitops_model.git.environment import for_this

DISCOVER = (
    "rev-parse",
    "--path-format=absolute",
    "--is-inside-work-tree",
    "--is-shallow-repository",
    "--show-object-format",
    "--show-cdup",
    "--absolute-git-dir",
    "--git-common-dir",
)


def ask(cwd: str, environ: Mapping[str, str]) -> Git:
    """A git at `cwd` that is on its way to `Repository.open`: it works while the caller imports what comes next."""
    git = Git(cwd, for_this(environ))
    git.expect(*DISCOVER)
    return git
