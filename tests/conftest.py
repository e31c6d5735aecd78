"""What every test stands on: a scrubbed environment, scratch repositories, the installed program, real models.

Under `make test` the tests see the installed wheel. Run with `PYTHONPATH=.` they see the checkout, and the `cli`
fixture builds the wheel first. With CI=true nothing is skipped for want of a tool or a model.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from support import environment, gitrepo, installed, models
from support.program import Program

REAL_HOME = Path(os.environ.setdefault("GITOPS_MODEL_REAL_HOME", str(Path("~").expanduser())))
CI = os.environ.get("CI") == "true"

# The same examples every time: a red run can be repeated, and no database is left in the checkout.
hypothesis.settings.register_profile("test", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("fuzz", deadline=None, database=None, max_examples=5000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what the tests got as the golden files")


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: a test talks to nothing but this machine."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = str(arguments[1][0])
        if host not in {"127.0.0.1", "::1", "localhost"}:
            raise RuntimeError(f"a test tries to reach {host}")


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(refuse_the_network)
    # A folder .hypothesis in the root would end the collection of the next run: its plugin warns of it.
    set_hypothesis_home_dir(config.rootpath / ".pytest_cache/hypothesis")
    hypothesis.settings.load_profile(os.environ.get("GITOPS_MODEL_PROFILE", "test"))
    if installed.runs_from_tree():
        installed.lend_hooks()
    elif stale := installed.stale_file():
        raise pytest.UsageError(f"the installed gitops-model is not this tree ({stale} differs): run `make install`")
    if CI and config.getoption("--update-golden"):
        raise pytest.UsageError("golden files are not updated under CI=true")
    os.environ["GITOPS_MODEL_CACHE"] = str(models.CACHE)


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Scrub the environment of this process for the whole run; yields HOME."""
    home = tmp_path_factory.mktemp("home")
    environment.lay_home(home)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment.clean(before, home, Path(sysconfig.get_path("scripts"))))
    yield home
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _home(_environment: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give each test a HOME with nothing in it, and fail the one that writes to the real one."""
    before = environment.fingerprint(REAL_HOME)
    yield _environment
    if sorted(os.listdir(_environment)) != [".gitconfig"]:
        shutil.rmtree(_environment)
    environment.lay_home(_environment)
    if request.node.get_closest_marker("home") is None:
        after = environment.fingerprint(REAL_HOME)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        assert not changed, f"the test wrote to the real HOME: {changed}"


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "shared"


@pytest.fixture(scope="session")
def wheel(shared_folder: Path) -> Path:
    """The wheel of the tree, built for this run."""
    return installed.unpacked_wheel(shared_folder)[0]


@pytest.fixture(scope="session")
def site(shared_folder: Path) -> Path:
    """The wheel of the tree, unpacked: a folder for PYTHONPATH."""
    return installed.unpacked_wheel(shared_folder)[1]


@pytest.fixture(scope="session")
def scripts(shared_folder: Path) -> Path:
    """The folder with the console scripts under test."""
    return installed.scripts(shared_folder)


@pytest.fixture(scope="session")
def cli(scripts: Path) -> Program:
    """`gitops-model` as installed: `cli("show", path, cwd=repo.path, check=0).json()`."""
    return Program(scripts / "gitops-model")


@pytest.fixture(scope="session")
def hook(scripts: Path) -> Program:
    """`gitops-model-hook` as installed."""
    return Program(scripts / "gitops-model-hook")


@pytest.fixture
def git_repo(tmp_path: Path) -> Callable[..., gitrepo.GitRepo]:
    """A factory of scratch repositories: `git_repo("name", files={"a.txt": "…"}, bare=False, object_format="sha1")`."""

    def make(
        name: str = "repo",
        *,
        files: dict[str, str | bytes] | None = None,
        bare: bool = False,
        object_format: str = "sha1",
    ) -> gitrepo.GitRepo:
        repo = gitrepo.init(tmp_path / name, bare=bare, object_format=object_format)
        if files:
            repo.commit("First", files)
        return repo

    return make


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], Path]:
    """`require_tool("git-lfs")` gives the program's path; without it the test is skipped, or fails with CI=true."""

    def require(name: str) -> Path:
        found = shutil.which(name)
        if found is None:
            lacking(f"{name} is not installed: run `make tools`, or install the package that has it")
        return Path(str(found))

    return require


@pytest.fixture(scope="session")
def model_file() -> Callable[[str, str], Path]:
    """`model_file("silero-vad==5.1.2", "silero_vad/data/silero_vad.onnx")` gives the path of a real model file."""

    def get(package: str, path: str) -> Path:
        try:
            return models.model_file(package, path)
        except models.Unavailable as error:
            lacking(str(error))
            raise

    return get


@pytest.fixture(scope="session", name="lacking")
def lacking_() -> Callable[[str], None]:
    """`lacking("no browser")` ends a test for want of something: a failure with CI=true, else a skip that says so."""
    return lacking


def lacking(what: str) -> None:
    """Something the test needs is not here: a failure with CI=true, else a skip that says so."""
    if CI:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("name.txt", text)` compares with golden/name.txt beside the test; `--update-golden` writes it."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing: run pytest with --update-golden and read the result"
        assert text == path.read_text(encoding="utf-8")

    return compare
