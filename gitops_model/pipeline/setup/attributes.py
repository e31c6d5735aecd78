"""`diff=gitops-model` for model files, in .gitattributes, which the team shares.

Git takes the last line that matches, and the deepest file: the lines stand at the end, after Git LFS's own `diff=lfs`,
and also in each .gitattributes further down that says otherwise. Where the driver is not configured, the attribute
means nothing and git shows what it always showed.
"""

import os

from gitops_model.git import config
from gitops_model.git.entries import WORKTREE
from gitops_model.git.repository import Repository
from gitops_model.pipeline.setup.driver import NAME
from gitops_model.readers import FORMATS, is_model_path
from gitops_model.render.setup import Step

FILE = ".gitattributes"
MERGED = (".safetensors", ".npz")
"""Weights that are merged by tensor: `merge=gitops-model` as well."""
FIRST = b"# >>> gitops-model (init --hooks; keep these lines after those of Git LFS)"
NEW_FILE, NEW_BREAK = b" new file", b" after a line without end"
LAST = b"# <<< gitops-model\n"


def lines() -> bytes:
    suffixes = sorted({suffix for row in FORMATS for suffix in row.suffixes})
    return b"".join(
        f"*{suffix} diff={NAME}{f' merge={NAME}' if suffix in MERGED else ''}\n".encode() for suffix in suffixes
    )


def install(repository: Repository) -> list[Step]:
    root = repository.root or ""
    models = [entry.path for entry in repository.entries(WORKTREE) if is_model_path(entry.path)]
    steps = [_install(root, FILE)]
    for _ in range(len(models)):
        others = overruled(repository, models)
        deeper = {file for path in others if (file := nearest(root, path)) is not None and file != FILE}
        fresh = [step for file in sorted(deeper) if (step := _install(root, file)).state == "changed"]
        steps += fresh
        if not fresh:
            break
    left = overruled(repository, models)
    if left:
        where = "$GIT_DIR/info/attributes or an attribute macro overrules them"
        steps.append(Step("left", "attributes", f"{len(left)} model files keep another diff driver: {where}"))
    return steps


def overruled(repository: Repository, models: list[str]) -> list[str]:
    """The models whose diff is not ours."""
    given = config.attribute(repository.git, "diff", models)
    return [path for path in models if given.get(path) != NAME]


def nearest(root: str, path: str) -> str | None:
    """The deepest attributes file that applies to a path."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        name = f"{folder}/{FILE}" if folder else FILE
        if os.path.isfile(os.path.join(root, name)):
            return name
    return None


def _install(root: str, name: str) -> Step:
    path = os.path.join(root, name)
    if os.path.islink(path):
        return Step("left", "attributes", f"{name} is a symbolic link, which git does not follow here")
    before = _read(path)
    rest = without(before) if before is not None else b""
    flag = NEW_FILE if rest is None or before is None else NEW_BREAK if rest and not rest.endswith(b"\n") else b""
    rest = rest or b""
    after = rest + (b"\n" if flag == NEW_BREAK else b"") + FIRST + flag + b"\n" + lines() + LAST
    if after == before:
        return Step("kept", "attributes", name)
    _write(path, after)
    return Step("changed", "attributes", f"{name}: models are shown by diff={NAME}")


def uninstall(repository: Repository) -> list[Step]:
    root = repository.root
    if root is None:
        return []
    steps: list[Step] = []
    for entry in repository.entries(WORKTREE):
        if entry.path.rpartition("/")[2] != FILE or not entry.is_regular:
            continue
        path = os.path.join(root, entry.path)
        before = _read(path)
        if before is None or FIRST not in before:
            continue
        rest = without(before)
        if rest is None:
            os.unlink(path)
        else:
            _write(path, rest)
        steps.append(Step("changed", "attributes", f"{entry.path}: put back what was there"))
    return steps


def without(content: bytes) -> bytes | None:
    """The content as it was before our block; None when the file was not there."""
    start = content.find(FIRST)
    end = content.find(LAST, start)
    if start < 0 or end < 0:
        return content
    head, rest = content[:start], content[end + len(LAST) :]
    flag = content[start + len(FIRST) : content.index(b"\n", start)]
    if flag == NEW_FILE and not head and not rest:
        return None
    if flag == NEW_BREAK and not rest:
        head = head.removesuffix(b"\n")
    return head + rest


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _write(path: str, content: bytes) -> None:
    draft = f"{path}.{os.getpid()}.tmp"
    with open(draft, "wb") as stream:
        stream.write(content)
    if os.path.exists(path):
        os.chmod(draft, os.stat(path).st_mode & 0o777)
    os.replace(draft, path)
