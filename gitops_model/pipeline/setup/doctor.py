"""What is set up in a repository and what is not, each with the command that mends it. Nothing is changed."""

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from gitops_model.checks import command
from gitops_model.errors import CouldNotRun
from gitops_model.git import config
from gitops_model.git.entries import WORKTREE
from gitops_model.git.refs import read as read_ref
from gitops_model.git.repository import Repository
from gitops_model.pipeline.setup import attributes, driver, hooks, refspecs
from gitops_model.readers import is_model_path
from gitops_model.render.setup import Fact, Health

GIT = (2, 31)
"""The oldest git that says where a linked work tree's files are (`rev-parse --path-format`)."""

EXTRAS = {
    "review": {"onnx": "onnx", "numpy": "numpy", "github3": "github3.py", "rich": "rich"},
    "gpu": {"pynvml": "nvidia-ml-py"},
}
INIT = "gitops-model init --hooks"


def doctor(cwd: str, environ: Mapping[str, str], programs: str) -> Health:
    """How things stand in the repository at `cwd`; `programs` is the folder of our console scripts."""
    facts = list(_version(cwd, environ))
    if all(fact.state == "ok" for fact in facts):
        repository = Repository.find(cwd, environ)
        if repository is None:
            facts.append(Fact("missing", "repository", "there is none here", "git init"))
        else:
            with repository:
                facts += _repository(repository, environ, programs)
    facts += _extras()
    return Health(tuple(facts))


def _repository(repository: Repository, environ: Mapping[str, str], programs: str) -> Iterator[Fact]:
    if repository.root is None:
        yield Fact("ok", "repository", f"{repository.git_dir} is bare: no hooks or attributes of ours apply")
    else:
        yield Fact("ok", "repository", repository.root)
        yield from _program(environ, programs)
        yield from _hooks(repository)
        yield from _driver(repository)
        yield from _attributes(repository)
        yield from _lfs(repository)
        yield from _config(repository)
    yield from _notes(repository)


def _version(cwd: str, environ: Mapping[str, str]) -> Iterator[Fact]:
    from gitops_model.git.command import Git

    try:
        said = Git(cwd or os.curdir, environ).out("version").decode().split()
    except CouldNotRun as error:
        yield Fact("missing", "git", str(error))
        return
    number = said[2] if len(said) > 2 else "?"
    parts = tuple(int(part) for part in number.split(".")[:2] if part.isdigit())
    if parts < GIT:
        yield Fact("wrong", "git", f"{number} is older than {GIT[0]}.{GIT[1]}")
    else:
        yield Fact("ok", "git", number)


def _program(environ: Mapping[str, str], programs: str) -> Iterator[Fact]:
    on_path = any(
        os.access(os.path.join(folder, "gitops-model-hook"), os.X_OK)
        for folder in environ.get("PATH", "").split(os.pathsep)
    )
    if on_path:
        yield Fact("ok", "program", "on PATH")
    elif os.access(os.path.join(programs, "gitops-model-hook"), os.X_OK):
        yield Fact("ok", "program", f"in {programs}, not on PATH")
    else:
        yield Fact("missing", "program", "gitops-model-hook is not on PATH", "pip install gitops-model")


def _hooks(repository: Repository) -> Iterator[Fact]:
    where = hooks.folder(repository)
    framework = _framework_ids(repository.root or "")
    for name, ids in (("pre-commit", ("model-manifest", "model-check")), ("pre-push", ("model-notes-push",))):
        path = os.path.join(where, name)
        place = next((file for file in (path, f"{path}.legacy") if hooks.kind(file) == "ours"), None)
        lacking = [hook_id for hook_id in ids if hook_id not in framework]
        if place is not None and hooks.is_current(place, name):
            yield Fact("ok", f"hook {name}", f"native: {place}")
        elif place is not None:
            yield Fact("wrong", f"hook {name}", f"{place} is of another version, or not executable", INIT)
        elif lacking:
            detail = f"neither native nor in .pre-commit-config.yaml ({', '.join(lacking)})"
            yield Fact("missing", f"hook {name}", detail, INIT)
        elif not hooks.is_framework(path):
            command = f"pre-commit install --hook-type {name}"
            yield Fact("missing", f"hook {name}", "in .pre-commit-config.yaml, but not installed", command)
        else:
            yield Fact("ok", f"hook {name}", "through the pre-commit framework")


def _framework_ids(root: str) -> str:
    """The text of the framework's configuration without comments: enough to see which ids are in it."""
    try:
        with open(os.path.join(root, ".pre-commit-config.yaml"), encoding="utf-8", errors="replace") as stream:
            return "\n".join(line.partition("#")[0] for line in stream.read(1 << 20).splitlines())
    except OSError:
        return ""


def _driver(repository: Repository) -> Iterator[Fact]:
    git = repository.git
    if all(config.values(git, key, scope="") == [value] for key, value in driver.SETTINGS.items()):
        yield Fact("ok", "diff driver", f"diff.{driver.NAME}")
    elif config.values(git, f"diff.{driver.NAME}.textconv", scope=""):
        yield Fact("wrong", "diff driver", f"diff.{driver.NAME} is not as this version writes it", INIT)
    else:
        yield Fact("missing", "diff driver", "git shows models as binary files", INIT)
    if git.run("grep", "--quiet", "--fixed-strings", "-e", driver.GONE, driver.CACHE, "--").code == 0:
        detail = "git keeps texts from when gitops-model was not installed"
        yield Fact("wrong", "diff cache", detail, f"git update-ref -d {driver.CACHE}")


def _attributes(repository: Repository) -> Iterator[Fact]:
    models = [entry.path for entry in repository.entries(WORKTREE) if is_model_path(entry.path)]
    left = attributes.overruled(repository, [*models, "any.onnx"])
    if left:
        yield Fact("missing", "attributes", f"{left[0]} has no diff={driver.NAME} ({len(left)} such files)", INIT)
    else:
        yield Fact("ok", "attributes", f"{len(models)} model files")


def _lfs(repository: Repository) -> Iterator[Fact]:
    models = [entry.path for entry in repository.entries(WORKTREE) if is_model_path(entry.path)]
    under = [path for path, value in config.attribute(repository.git, "filter", models).items() if value == "lfs"]
    if not under:
        yield Fact("optional", "Git LFS", "no model is stored with it", "git lfs track '*.onnx'")
    elif repository.git.run("lfs", "version").code:
        yield Fact("missing", "Git LFS", f"{len(under)} models are stored with it, but git-lfs is not installed")
    elif not config.values(repository.git, "filter.lfs.process", scope=""):
        yield Fact("missing", "Git LFS", "its filter is not configured", "git lfs install --local")
    else:
        yield Fact("ok", "Git LFS", f"{len(under)} models")


def _config(repository: Repository) -> Iterator[Fact]:
    from gitops_model.checks import CHECKS
    from gitops_model.config import load
    from gitops_model.pipeline.tree import GitTree, read

    tree = GitTree(repository, WORKTREE)
    try:
        loaded = load(lambda path: read(tree, path), CHECKS)
    except CouldNotRun as error:
        yield Fact("wrong", "configuration", str(error))
    else:
        yield Fact("ok", "configuration", loaded.path or "none, so the defaults hold")


def _notes(repository: Repository) -> Iterator[Fact]:
    from gitops_model.git.notes import REF
    from gitops_model.git.sync import remotes

    known = remotes(repository)
    lacking = [
        remote
        for remote in known
        if refspecs.refspec(remote) not in config.values(repository.git, f"remote.{remote}.fetch")
    ]
    detail = f"`git fetch` of {', '.join(lacking)} brings no notes"
    if lacking and repository.is_bare:  # nobody works there, and `init --hooks` has nothing else to do
        add = command("git", "config", "--add", f"remote.{lacking[0]}.fetch", refspecs.refspec(lacking[0]))
        yield Fact("optional", "notes refspec", detail, add)
    elif lacking:
        yield Fact("missing", "notes refspec", detail, INIT)
    elif known:
        yield Fact("ok", "notes refspec", ", ".join(known))
    else:
        yield Fact("optional", "notes refspec", "there is no remote")
    if read_ref(repository.git, REF) is None:
        yield Fact("optional", "notes", "nothing is recorded yet", "gitops-model record")
    else:
        yield Fact("ok", "notes", REF)


def _extras() -> Iterator[Fact]:
    for extra, modules in EXTRAS.items():
        lacking = [name for module, name in modules.items() if find_spec(module) is None]
        if lacking:
            yield Fact(
                "optional", f"extra {extra}", f"without {', '.join(lacking)}", f"pip install 'gitops-model[{extra}]'"
            )
        else:
            yield Fact("ok", f"extra {extra}", ", ".join(modules.values()))
