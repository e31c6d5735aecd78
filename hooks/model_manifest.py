"""`model-manifest`: the manifests that the next commit touches, alone or through a file that they list, are right.

It asks git itself what is staged. The framework's `files:` would hide deletions, and a manifest has to be checked again
when a file that it lists changes, whatever that file is called.
"""

from .program import check_staged, failed, program, started_by_hand
from .touched import GitFailed, concerns_models, staged_paths


def run(_words: list[str]) -> int:
    """Exit code of the check; 0 at once where no model is concerned. With nothing staged, by hand: every manifest."""
    try:
        paths = staged_paths()
        if not paths and started_by_hand():
            return program("check", "--all")
        if not concerns_models(paths):
            return 0
    except GitFailed as error:
        return failed("model-manifest", error)
    return check_staged()
