"""Where the program under test is: installed beside the interpreter (`make test`), or built from the tree on demand."""

import fcntl
import importlib.util
import os
import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from support.wheel import ROOT, build, tracked_files

SCRIPTS = {
    "gitops-model": "gitops_model.cli",
    "git-model": "gitops_model.cli",
    "gitops-model-hook": "gitops_model.hooks",
}
_SCRIPT = """\
#!{python}
import sys
sys.path.insert(0, {site!r})
from {module} import main
sys.exit(main())
"""


def runs_from_tree() -> bool:
    """Whether `import gitops_model` finds the checkout (PYTHONPATH=., or an editable install)."""
    found = importlib.util.find_spec("gitops_model")
    return bool(found and found.origin and Path(found.origin).is_relative_to(ROOT / "gitops_model"))


def lend_hooks() -> None:
    """Let `import gitops_model.hooks` find hooks/ of the checkout, where the installed wheel would have it."""
    name, init = "gitops_model.hooks", ROOT / "hooks" / "__init__.py"
    if name in sys.modules or not init.exists():
        return
    spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(ROOT / "hooks")])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def stale_file() -> str | None:
    """The first file of the tree that differs from the installed copy, or None; tests of old code prove nothing."""
    try:
        site = Path(str(distribution("gitops-model").locate_file("")))
    except PackageNotFoundError:
        return "pyproject.toml"
    for name in tracked_files():
        part, _, rest = name.partition("/")
        where = {"gitops_model": "gitops_model", "hooks": "gitops_model/hooks"}.get(part)
        if where is not None:
            copy = site / where / rest
            if not copy.is_file() or copy.read_bytes() != (ROOT / name).read_bytes():
                return name
    return None


def unpacked_wheel(shared: Path) -> tuple[Path, Path]:
    """(wheel, folder it is unpacked in) for this run; built once, by whichever worker comes first."""
    shared.mkdir(parents=True, exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        site = shared / "site"
        if not site.exists():
            wheel = build(shared / "dist")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(shared / "unpacking")
            (shared / "unpacking").rename(site)
    (wheel,) = (shared / "dist").glob("*.whl")
    return wheel, site


def scripts(shared: Path) -> Path:
    """The folder that holds the console scripts under test."""
    beside = Path(sysconfig.get_path("scripts"))
    if not runs_from_tree() and (beside / "gitops-model").exists():
        return beside
    _, site = unpacked_wheel(shared)
    folder = shared / "bin"
    folder.mkdir(exist_ok=True)
    for name, module in SCRIPTS.items():
        text = _SCRIPT.format(python=sys.executable, site=str(site), module=module)
        path = folder / name
        if not path.exists():
            draft = folder / f"{name}.{os.getpid()}"
            draft.write_text(text, encoding="utf-8")
            draft.chmod(0o755)
            draft.rename(path)
    return folder
