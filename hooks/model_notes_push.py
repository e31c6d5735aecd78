"""`model-notes-push`: notes follow the models to the remote. It never stops a push: what fails is one warning.

Our own push of notes runs no hook (`--no-verify`), and a hook that is run by it all the same, or by a push of notes by
hand, does nothing.
"""

import os
import sys

from .touched import git

NOTES = "refs/notes/"
GUARD = "GITOPS_MODEL_SYNC"
TIMEOUT = 30
"""Seconds that each contact with the remote may take."""


def run(words: list[str]) -> int:
    """Git gives the remote's name and address as arguments and the refs on standard input; pre-commit in variables."""
    environ = os.environ
    if GUARD in environ:
        return 0
    remote = environ.get("PRE_COMMIT_REMOTE_NAME") or (words[0] if words else "")
    if environ.get("PRE_COMMIT_REMOTE_BRANCH", "").startswith(NOTES) or not remote:
        return 0
    if "PRE_COMMIT" not in environ and words and only_notes(sys.stdin.buffer.read()):
        return 0
    try:
        if git("git", "rev-parse", "--verify", "--quiet", f"{NOTES}gitops-model")[0]:
            return 0  # nothing was recorded here
        push(remote)
    except Exception as error:  # noqa: BLE001 - whatever it is, the push goes on
        warn(str(error) or type(error).__name__)
    return 0


def only_notes(refs: bytes) -> bool:
    """Whether a push, as git describes it to the hook, has notes for each of its targets."""
    targets = [fields[2] for fields in map(bytes.split, refs.splitlines()) if len(fields) == 4]
    return bool(targets) and all(target.startswith(NOTES.encode()) for target in targets)


def push(remote: str) -> None:
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.notes import sync_all

    with Repository.open(os.getcwd(), os.environ) as repository:
        for outcome in sync_all(repository, [remote], interactive=False, timeout=TIMEOUT):
            if outcome.warning:
                warn(outcome.warning)


def warn(why: str) -> None:
    from gitops_model.render.inert import one_line

    sys.stderr.write(f"gitops-model: warning: model notes were not pushed: {one_line(why)}\n")
