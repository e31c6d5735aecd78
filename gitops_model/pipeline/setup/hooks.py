"""git's own hooks, in front of which whatever was there before goes on running.

The hook that was there is renamed, not copied: its bytes, its mode, and where it points to as a symbolic link stay. Our
script runs it first, with the same arguments and the same standard input, and stops with its exit code if it fails. An
old hook that is not executable was never run by git, and is not run now.

When our program is gone, a commit is refused: a hook that is silently skipped lets through what it was set up to stop.
One line says so, and how to go on. A push is never refused.
"""

import os
import stat

from gitops_model.errors import CouldNotRun
from gitops_model.git import config
from gitops_model.git.paths import text
from gitops_model.git.repository import Repository
from gitops_model.render.setup import Step

NAMES = ("pre-commit", "pre-push")
MARK = "# gitops-model hook "
VERSION = 1
BEFORE = ".before-gitops-model"
PROGRAMS = "gitops-model.programs"
"""Configuration key: the folder of our console scripts, for when they are not on PATH (as under a graphical client)."""

_SCRIPT = """\
#!/bin/sh
{mark}{version}: written by `gitops-model init --hooks`, taken away by `gitops-model init --uninstall`.
# The hook that was here before stands beside this file and runs first.
before="${{0%/*}}/{name}{before}"
{chain}
program=$(command -v gitops-model-hook) || program="$(git config --get {programs})/gitops-model-hook"
if [ ! -x "$program" ]; then
    {gone}
fi
{start}
"""

_COMMIT = {
    "chain": 'if [ -f "$before" ] && [ -x "$before" ]; then "$before" "$@" || exit; fi',
    "gone": (
        "echo 'gitops-model is not installed, so models cannot be checked: install it,"
        " or commit with --no-verify' >&2\n    exit 1"
    ),
    "start": 'exec "$program" pre-commit "$@"',
}
_PUSH = {
    "chain": """\
refs=$(cat)
feed() { if [ -n "$refs" ]; then printf '%s\\n' "$refs"; fi; }
if [ -f "$before" ] && [ -x "$before" ]; then feed | "$before" "$@" || exit; fi""",
    "gone": ("echo 'gitops-model is not installed, so the notes of models are not pushed' >&2\n    exit 0"),
    "start": 'feed | "$program" pre-push "$@"\nexit 0',
}


def script(name: str) -> str:
    """The text of our hook `name`; the same on every machine, because some teams track their hooks."""
    parts = _COMMIT if name == "pre-commit" else _PUSH
    return _SCRIPT.format(mark=MARK, version=VERSION, name=name, before=BEFORE, programs=PROGRAMS, **parts)


def folder(repository: Repository) -> str:
    """Where git looks for hooks: core.hooksPath, else hooks/ of the common directory (shared by all work trees)."""
    path = text(repository.git.out("rev-parse", "--git-path", "hooks")).removesuffix("\n")
    return os.path.join(repository.git.folder, path)


def install(repository: Repository, programs: str) -> list[Step]:
    where = folder(repository)
    if config.origin(repository.git, "core.hooksPath") in {"global", "system"}:
        raise CouldNotRun(
            f"core.hooksPath of your global configuration sends all repositories to {where}: no hook is put there",
            hint="git config --local core.hooksPath .git/hooks   (or call `gitops-model-hook pre-commit` from yours)",
        )
    for name in NAMES:  # before anything is written
        path = os.path.join(where, name)
        if kind(path) == "theirs" and os.path.lexists(path + BEFORE):
            raise CouldNotRun(
                f"{path} is not ours any more, and {name}{BEFORE} is there as well",
                hint=f"merge the two, remove {path}{BEFORE}, and run: gitops-model init --hooks",
            )
    config.replace(repository.git, PROGRAMS, [programs])
    os.makedirs(where, exist_ok=True)
    return [_install(os.path.join(where, name), name) for name in NAMES]


def _install(path: str, name: str) -> Step:
    found, wanted = kind(path), script(name)
    if found == "ours" and is_current(path, name):
        return Step("kept", f"hook {name}", path)
    if found == "theirs":
        os.rename(path, path + BEFORE)
    _write(path, wanted)
    what = {"none": "installed", "ours": "renewed", "theirs": f"installed; {name}{BEFORE} runs first"}[found]
    return Step("changed", f"hook {name}", f"{path}: {what}")


def uninstall(repository: Repository) -> list[Step]:
    where = folder(repository)
    steps: list[Step] = []
    for name in NAMES:
        path, before = os.path.join(where, name), os.path.join(where, name + BEFORE)
        legacy = path + ".legacy"  # where the framework put our script when it was installed on top
        place = path if kind(path) == "ours" else legacy if kind(legacy) == "ours" else None
        if place is None:
            if os.path.lexists(before):
                steps.append(Step("left", f"hook {name}", f"{path} is not ours; what was there before is {before}"))
            continue
        os.unlink(place)
        if os.path.lexists(before):
            os.rename(before, place)
            steps.append(Step("changed", f"hook {name}", f"{place}: put back what was there"))
        else:
            steps.append(Step("changed", f"hook {name}", f"{place}: removed"))
    config.replace(repository.git, PROGRAMS, [])
    return steps


def kind(path: str) -> str:
    """`none`, `ours`, or `theirs`."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return "none"
    second_line = _read(path).split(b"\n", 2)[1:2] if stat.S_ISREG(mode) else []
    return "ours" if second_line and second_line[0].startswith(MARK.encode()) else "theirs"


def is_current(path: str, name: str) -> bool:
    """Whether git would run this hook, and it is what this version writes."""
    return _read(path) == script(name).encode() and os.access(path, os.X_OK)


def is_framework(path: str) -> bool:
    """Whether a hook is the pre-commit framework's own script (or that of a tool that reads its configuration)."""
    try:
        return os.access(path, os.X_OK) and b"hook-impl" in _read(path)
    except OSError:
        return False


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(1 << 16)


def _write(path: str, content: str) -> None:
    """Replace a hook in one step, so that git never runs half of one."""
    draft = f"{path}.{os.getpid()}.tmp"
    with open(draft, "w", encoding="utf-8") as stream:
        stream.write(content)
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(draft, 0o777 & ~mask)
    os.replace(draft, path)
