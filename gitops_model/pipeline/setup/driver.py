"""The diff driver: `git diff`, `git log -p` and `git show` print a model as text, cached by git per blob; and the merge
driver, which merges weights by tensor.

The command is a line of shell rather than the program's name, so that `git diff` goes on where the program is gone. Git
caches that line's output too (in refs/notes/textconv/gitops-model), so installing and uninstalling empty the cache. The
version in the command is the text's: git drops the cache when the command changes.
"""

from gitops_model.git import config
from gitops_model.git.repository import Repository
from gitops_model.pipeline.setup.hooks import PROGRAMS
from gitops_model.render.setup import Step
from gitops_model.render.show import TEXTCONV

NAME = "gitops-model"
SAVED = "gitops-model.saved"
"""Subsection of the configuration that holds what a key said before: gitops-model.saved.KEY."""

CACHE = f"refs/notes/textconv/{NAME}"
GONE = "gitops-model is not installed"
TEXTCONV_COMMAND = (
    "f() { p=$(command -v gitops-model) || p=$(git config --get " + PROGRAMS + ")/gitops-model; "
    f'if [ -x "$p" ]; then "$p" show --textconv={TEXTCONV} -- "$1"; '
    f"else echo '{GONE}; when it is, run: git update-ref -d {CACHE}'; fi; }}; f"
)
MERGE_GONE = "gitops-model is not installed, so nothing is merged and ours is kept"
MERGE_COMMAND = (
    "f() { p=$(command -v gitops-model) || p=$(git config --get " + PROGRAMS + ")/gitops-model; "
    'if [ -x "$p" ]; then "$p" merge-driver -- "$@"; '
    f"else echo '{MERGE_GONE}' >&2; exit 1; fi; }}; f %O %A %B %P"
)
SETTINGS = {
    f"diff.{NAME}.textconv": TEXTCONV_COMMAND,
    f"diff.{NAME}.cachetextconv": "true",
    f"merge.{NAME}.name": "gitops-model, by tensor",
    f"merge.{NAME}.driver": MERGE_COMMAND,
}


def install(repository: Repository) -> list[Step]:
    git = repository.git
    if all(config.values(git, key) == [value] for key, value in SETTINGS.items()):
        empty_cache(repository)
        return [Step("kept", "diff driver", f"diff.{NAME}")]
    for key, value in SETTINGS.items():
        before = config.values(git, key)
        if before and not _ours(key, before) and not config.values(git, _saved(key)):
            config.replace(git, _saved(key), before)
        config.replace(git, key, [value])
    empty_cache(repository)
    return [Step("changed", "diff driver", f"diff.{NAME}.textconv, cached by git")]


def uninstall(repository: Repository) -> list[Step]:
    git = repository.git
    changed = False
    for key in SETTINGS:
        now = config.values(git, key)
        saved = config.values(git, _saved(key))
        if _ours(key, now):
            config.replace(git, key, saved)
            changed = True
        config.replace(git, _saved(key), [])
    empty_cache(repository)
    return [Step("changed", "diff driver", f"diff.{NAME}: removed")] if changed else []


def empty_cache(repository: Repository) -> None:
    repository.git.run("update-ref", "-d", CACHE)


def _ours(key: str, found: list[str]) -> bool:
    """Whether a value is one that some version of ours wrote."""
    if key.endswith(".textconv"):
        return len(found) == 1 and "show --textconv=" in found[0] and GONE in found[0]
    if key.endswith(".driver"):
        return len(found) == 1 and "merge-driver" in found[0] and MERGE_GONE in found[0]
    return found == [SETTINGS[key]]


def _saved(key: str) -> str:
    return f"{SAVED}.{key.rpartition('.')[2]}"
