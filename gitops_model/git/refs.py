"""Moving a ref from a known old value, so that of two writers exactly one wins."""

from gitops_model.git.command import Git, failed
from gitops_model.git.paths import text


def read(git: Git, ref: str) -> str | None:
    """The object id that a full ref name holds; None when there is no such ref."""
    result = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return result.out.strip().decode() if result.code == 0 else None


def tips_command(*patterns: str) -> tuple[str, ...]:
    return ("for-each-ref", "--format=%(objectname) %(refname)", *patterns)


def tips(git: Git, *patterns: str) -> dict[str, str]:
    """Name → object id of the refs that are a pattern, or below one."""
    lines = text(git.out(*tips_command(*patterns))).splitlines()
    return {name: oid for oid, _, name in (line.partition(" ") for line in lines)}


def swap(git: Git, ref: str, new: str, old: str | None, reason: str) -> bool:
    """Set `ref` to `new` if it still holds `old` (None: does not exist); False when somebody else was faster.

    Through git, because libgit2 knows neither reftable nor, for updates, an expected old value.
    """
    args = ("update-ref", "--no-deref", "-m", reason, ref, new, old or "0" * len(new))
    result = git.run(*args)
    if result.code == 0:
        return True
    if read(git, ref) != old or "Unable to create" in result.error or ".lock" in result.error:
        return False
    raise failed(args, result)


def is_ancestor(git: Git, old: str, new: str) -> bool:
    return git.run("merge-base", "--is-ancestor", old, new).code == 0
