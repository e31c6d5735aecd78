"""Reading and writing a repository's own configuration, and the attributes that git gives to paths."""

from collections.abc import Iterable

from gitops_model.git.command import Git, failed
from gitops_model.git.paths import raw, text


def values(git: Git, key: str, *, scope: str = "--local") -> list[str]:
    """Every value of a key, in order; `scope` is `--local` or `--global`, "" for all of them together."""
    scopes = (scope,) if scope else ()
    result = git.run("config", *scopes, "-z", "--get-all", key)
    if result.code > 1:
        raise failed(("config",), result)
    return [text(value) for value in result.out.split(b"\0")[:-1]]


def origin(git: Git, key: str) -> str | None:
    """The scope that a key's last value comes from: `system`, `global`, `local`, `worktree` or `command`."""
    result = git.run("config", "-z", "--show-scope", "--get", key)
    return text(result.out.split(b"\0")[0]) if result.code == 0 else None


def add(git: Git, key: str, value: str) -> None:
    git.out("config", "--local", "--add", key, value)


def replace(git: Git, key: str, new: Iterable[str]) -> None:
    """Make `new` the values of a key; none removes it, and its section when nothing is left there."""
    wanted = list(new)
    if values(git, key) == wanted:
        return
    result = git.run("config", "--local", "--unset-all", key)
    if result.code not in (0, 5):
        raise failed(("config",), result)
    for value in wanted:
        add(git, key, value)


def remove(git: Git, key: str, value: str) -> None:
    """Remove one value of a key and leave its others where they are."""
    if value in values(git, key):
        git.out("config", "--local", "--fixed-value", "--unset-all", key, value)


def attribute(git: Git, name: str, paths: Iterable[str]) -> dict[str, str]:
    """Path → the value of an attribute (`unspecified`, `set`, `unset`, or what it is set to)."""
    names = b"".join(raw(path) + b"\0" for path in paths)
    if not names:
        return {}
    fields = [text(field) for field in git.out("check-attr", "-z", "--stdin", name, stdin=names).split(b"\0")]
    return dict(zip(fields[0::3], fields[2::3], strict=False))
