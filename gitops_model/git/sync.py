"""Exchanging notes with a remote: fetch, unite, push without force, again when somebody else pushed in between.

git itself talks to the remote, with the user's own configuration and credentials.
"""

from typing import NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git import refs
from gitops_model.git.command import Result, TimedOut
from gitops_model.git.notes import REF, TRACKING, Notes
from gitops_model.git.repository import Repository

GUARD = "GITOPS_MODEL_SYNC"
"""Set in the environment of our own push: a hook that sees it has nothing to do."""

ATTEMPTS = 12

_FETCH = (
    "fetch",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-filter",
    "--no-auto-maintenance",
)
_PUSH = ("push", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--porcelain")


class Outcome(NamedTuple):
    """How many notes came here, whether something went there, and why not where it did not (one line)."""

    remote: str
    received: int = 0
    pushed: bool = False
    warning: str | None = None

    @property
    def said(self) -> str:
        came = f"{self.received:,} notes are new here" if self.received else "nothing new here"
        return f"{came}, {'ours were pushed' if self.pushed else 'nothing to push'}"


def sync(
    repository: Repository,
    remote: str,
    *,
    interactive: bool = True,
    push: bool = True,
    timeout: float | None = None,
) -> Outcome:
    """Make the remote and this repository hold the union of their notes.

    A remote that cannot be reached or does not accept is a warning, not an error. Without `interactive` nobody is asked
    for a password; `timeout` are the seconds that each contact may take.
    """
    notes = Notes(repository)
    git = repository.git
    tracking = TRACKING + tracking_name(repository, remote)
    env = {GUARD: "1"} if interactive else {GUARD: "1", **quiet(repository)}
    received = 0
    for _ in range(ATTEMPTS):
        fetched = _contact(repository, (*_FETCH, remote, f"+{REF}:{tracking}"), env, timeout)
        theirs = None
        if fetched.code == 0:
            theirs = refs.read(git, tracking)
            if theirs is not None and _has_gaps(repository, theirs):
                _contact(repository, (*_FETCH, "--refetch", remote, f"+{REF}:{tracking}"), env, timeout)
        elif "couldn't find remote ref" not in fetched.error.lower():  # it has no notes yet, which is fine
            return Outcome(remote, received, warning=f"notes of {remote} could not be fetched: {fetched.said}")
        if theirs is not None:
            received += notes.merge(theirs)
        ours = refs.read(git, REF)
        if not push or ours is None or ours == theirs:
            return Outcome(remote, received)
        pushed = _contact(repository, (*_PUSH, remote, f"{ours}:{REF}"), env, timeout)
        if pushed.code == 0:
            git.run("update-ref", tracking, ours)
            return Outcome(remote, received, pushed=True)
        if not _lost_race(pushed):
            return Outcome(remote, received, warning=f"notes could not be pushed to {remote}: {pushed.said}")
    return Outcome(remote, received, warning=f"notes of {remote} are changed by others all the time")


def remotes(repository: Repository) -> list[str]:
    return repository.git.out("remote").decode("utf-8", "surrogateescape").split()


def tracking_name(repository: Repository, remote: str) -> str:
    """The remote's name, or for an address a short name made of it."""
    if remote.startswith("-") or not remote:
        raise CouldNotRun(f"{remote!r} is no remote", hint="git remote -v")
    if remote in remotes(repository):
        return remote
    import hashlib

    return "address-" + hashlib.sha256(remote.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _contact(repository: Repository, args: tuple[str, ...], env: dict[str, str], timeout: float | None) -> Result:
    try:
        return repository.git.run(*args, network=True, env=env, timeout=timeout)
    except TimedOut as error:
        return Result(128, b"", f"fatal: {error}")


def _has_gaps(repository: Repository, tip: str) -> bool:
    """Whether a plain `git fetch` of a partial clone brought these notes along, but left out their content."""
    if repository.git.run("config", "--get-regexp", r"^remote\..*\.promisor$").code:
        return False
    return b"?" in repository.git.out("rev-list", "--objects", "--missing=print", tip)


def _lost_race(pushed: Result) -> bool:
    """Whether the push was refused only because the remote moved on (or another push held its lock)."""
    said = pushed.out.decode("utf-8", "replace") + pushed.error
    reasons = (
        "fetch first",
        "non-fast-forward",
        "cannot lock ref",
        "failed to update ref",
        "failed to lock",
        "incorrect old value",
    )
    return any(reason in said for reason in reasons)


def quiet(repository: Repository) -> dict[str, str]:
    """Nothing may ask: no terminal prompt, no askpass window, and no question of ssh unless the user set a command."""
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
    named = {"GIT_SSH_COMMAND", "GIT_SSH"} & set(repository.git.environ)
    if not named and repository.git.run("config", "--get", "core.sshCommand").code:
        env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=10"
    return env
