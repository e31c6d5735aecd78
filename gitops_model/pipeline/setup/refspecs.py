"""`git fetch` brings the notes along, into a ref of their own, from which `notes sync` unites them with ours.

The pattern ends in `*`: without one, a fetch fails when the remote has no such ref, and at first it has no notes.
"""

from gitops_model.git import config
from gitops_model.git.notes import REF, TRACKING
from gitops_model.git.repository import Repository
from gitops_model.git.sync import remotes
from gitops_model.render.setup import Step


def refspec(remote: str) -> str:
    return f"+{REF}*:{TRACKING}{remote}*"


def install(repository: Repository) -> list[Step]:
    steps: list[Step] = []
    for remote in remotes(repository):
        key = f"remote.{remote}.fetch"
        if refspec(remote) in config.values(repository.git, key):
            steps.append(Step("kept", "notes refspec", remote))
        else:
            config.add(repository.git, key, refspec(remote))
            steps.append(Step("changed", "notes refspec", f"{remote}: fetch brings notes along"))
    return steps or [Step("left", "notes refspec", "there is no remote yet; run this again when there is")]


def uninstall(repository: Repository) -> list[Step]:
    steps: list[Step] = []
    for remote in remotes(repository):
        key = f"remote.{remote}.fetch"
        if refspec(remote) in config.values(repository.git, key):
            config.remove(repository.git, key, refspec(remote))
            steps.append(Step("changed", "notes refspec", f"{remote}: removed"))
    return steps
