"""The hooks, one file per hook id; installed as `gitops_model.hooks` and started by `gitops-model-hook ID`.

Hooks run before every commit, most of which touch no model: this module and the quick part of each hook import next to
nothing. What they then start is the program itself (gitops_model.cli), in the same process.
"""

import sys
from importlib import import_module

from gitops_model import leave

HOOKS: dict[str, str] = {
    "model-manifest": "model_manifest",
    "model-check": "model_check",
    "model-record": "model_record",
    "model-notes-push": "model_notes_push",
    "pre-commit": "pre_commit",
    "pre-push": "pre_push",
}
"""Hook id → module beside this one. The last two are what `gitops-model init --hooks` installs: git's own hooks."""


def program() -> int:
    """The installed program; every commit waits for it."""
    return leave(main())


def main(argv: list[str] | None = None) -> int:
    """Run the hook that the first argument names; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    name = HOOKS.get(words[0]) if words else None
    if name is None:
        sys.stderr.write(f"usage: gitops-model-hook {'|'.join(HOOKS)} [ARGUMENT...]\n")
        return 2
    try:
        return import_module(f".{name}", __name__).run(words[1:])
    except KeyboardInterrupt:
        return 130
