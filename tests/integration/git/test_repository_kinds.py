"""Whatever kind of repository git can open serves the same files, and takes the same notes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.git.entries import INDEX, WORKTREE
from gitops_model.git.notes import Notes
from gitops_model.git.objects import MANY, GitObjects, LibraryObjects
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]

FILES = {"models/a.onnx": b"weights\0a", "models/b.onnx": b"weights\0b", "README": b"text"}


def plain(make: MakeRepo, _tmp: Path) -> GitRepo:
    return make(files=FILES)


def bare(make: MakeRepo, tmp: Path) -> GitRepo:
    return clone(make(files=FILES), tmp / "bare.git", "--bare")


def linked_worktree(make: MakeRepo, tmp: Path) -> GitRepo:
    make(files=FILES).git("worktree", "add", "--quiet", str(tmp / "linked"))
    return GitRepo(tmp / "linked")


def submodule(make: MakeRepo, _tmp: Path) -> GitRepo:
    outer = make("outer", files={"x": b""})
    outer.git("submodule", "--quiet", "add", str(make(files=FILES).path), "inner")
    return GitRepo(outer.path / "inner")


def sha256(make: MakeRepo, _tmp: Path) -> GitRepo:
    return make(files=FILES, object_format="sha256")


def shallow(make: MakeRepo, tmp: Path) -> GitRepo:
    origin = make(files=FILES)
    origin.commit("Second")
    return clone(origin, tmp / "shallow", "--depth=1")


def partial(make: MakeRepo, tmp: Path) -> GitRepo:
    origin = make(files=FILES)
    origin.git("config", "uploadpack.allowFilter", "true")
    return clone(origin, tmp / "partial", "--filter=blob:none")


def split_index(make: MakeRepo, _tmp: Path) -> GitRepo:
    repo = make(files=FILES)
    repo.git("update-index", "--split-index")
    repo.write("models/a.onnx", b"changed")
    repo.git("add", "models/a.onnx")
    repo.write("models/a.onnx", FILES["models/a.onnx"])
    repo.git("add", "models/a.onnx")
    assert list((repo.path / ".git").glob("sharedindex.*"))
    return repo


def sparse_index(make: MakeRepo, _tmp: Path) -> GitRepo:
    repo = make(files={**FILES, "elsewhere/x": b"x", "elsewhere/y": b"y"})
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "models")
    assert b"elsewhere/x" not in repo.git_bytes("ls-files", "--sparse", "-s")
    return repo


def alternates(make: MakeRepo, tmp: Path) -> GitRepo:
    return clone(make(files=FILES), tmp / "shared", "--shared")


def packed(make: MakeRepo, _tmp: Path) -> GitRepo:
    repo = make(files=FILES)
    repo.git("gc", "--quiet", "--prune=now")
    return repo


def separate_git_dir(make: MakeRepo, tmp: Path) -> GitRepo:
    repo = make(files=FILES)
    repo.git("init", "--quiet", f"--separate-git-dir={tmp / 'elsewhere.git'}")
    return repo


def worktree_config(make: MakeRepo, tmp: Path) -> GitRepo:
    repo = linked_worktree(make, tmp)
    repo.git("config", "extensions.worktreeConfig", "true")
    return repo


def clone(origin: GitRepo, target: Path, *options: str) -> GitRepo:
    origin.git("clone", "--quiet", *options, f"file://{origin.path}" if options[0] != "--shared" else ".", str(target))
    return GitRepo(target)


KINDS = [
    plain,
    bare,
    linked_worktree,
    submodule,
    sha256,
    shallow,
    partial,
    split_index,
    sparse_index,
    alternates,
    packed,
    separate_git_dir,
    worktree_config,
]


@pytest.fixture(params=KINDS, ids=lambda make: make.__name__)
def repo(request: pytest.FixtureRequest, git_repo: MakeRepo, tmp_path: Path) -> GitRepo:
    return request.param(git_repo, tmp_path)


def test_files_are_served(repo: GitRepo, opened: Open) -> None:
    repository = opened(repo)
    for place in ("HEAD",) if repository.is_bare else ("HEAD", INDEX, WORKTREE):
        entries = {entry.path: entry for entry in repository.entries(place, ["models"])}
        assert set(entries) == {"models/a.onnx", "models/b.onnx"}
        for path, entry in entries.items():
            assert entry.oid == repo.git("rev-parse", f"HEAD:{path}")
            assert repository.entry(place, path) == entry
            assert repository.blob(entry, place).head(100) == FILES[path]
        assert repository.source(place, "models").open("../README").head(100) == b"text"


@pytest.mark.parametrize("count", [1, MANY], ids=["git", "pygit2 where it can"])
def test_notes_are_written_and_read_by_git_too(repo: GitRepo, opened: Open, count: int) -> None:
    repository = opened(repo)
    notes = Notes(repository)
    oids = [repo.git("rev-parse", f"HEAD:{path}") for path in FILES]
    assert notes.add({oid: [f'{{"v":{index}}}', "x"] for index, oid in enumerate(oids)}) == 3
    assert notes.add({oids[0]: ["x"]}) == 0
    assert notes.add({oids[0]: ["a"]}) == 1
    assert repo.git("notes", "--ref=gitops-model", "show", oids[0]) == 'a\nx\n{"v":0}'
    assert sorted(notes.snapshot(fresh=True, count=count).all()) == sorted(oids)
    assert notes.lines(oids[1]) == ["x", '{"v":1}']
    assert notes.lines("1" * len(oids[0])) == []
    repo.git("fsck", "--strict")


def test_libgit2_serves_what_it_can_and_git_the_rest(repo: GitRepo, opened: Open) -> None:
    repository = opened(repo)
    objects = repository.objects(MANY)
    assert isinstance(objects, GitObjects if repository.object_format == "sha256" else LibraryObjects)
    oid = repo.git("rev-parse", "HEAD:README")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for reader in (objects, GitObjects(repository.git)):
        assert reader.header(oid) == ("blob", 4)
        assert reader.read(oid) == b"text"
        assert reader.header(tree).kind == "tree"
        assert reader.header("1" * len(oid)) is None
        assert reader.read("1" * len(oid)) is None
        assert reader.read(oid) == b"text"
        with pytest.raises(CouldNotRun, match="has 4 bytes"):
            reader.read(oid, 3)
        assert reader.read(oid) == b"text"
    assert objects.read(tree) == repo.git_bytes("cat-file", "tree", tree)


# --- what only some kinds have -------------------------------------------------------------------------------------
def test_a_bare_repository_says_what_it_lacks(git_repo: MakeRepo, tmp_path: Path, opened: Open) -> None:
    repository = opened(bare(git_repo, tmp_path))
    assert repository.is_bare
    for place in (INDEX, WORKTREE):
        with pytest.raises(CouldNotRun, match="bare"):
            list(repository.entries(place))
    with pytest.raises(CouldNotRun, match="bare"):
        repository.changes(staged=True)


def test_a_partial_clone_downloads_nothing(git_repo: MakeRepo, tmp_path: Path, opened: Open) -> None:
    origin = git_repo(files={"a.onnx": b"old"})
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit("Second", {"a.onnx": b"new"})
    repo = clone(origin, tmp_path / "partial", "--filter=blob:none")
    missing = repo.git("rev-list", "--objects", "--all", "--missing=print")
    assert missing.count("?") == 1
    repository = opened(repo)
    entry = repository.entry("HEAD~1", "a.onnx")
    assert entry is not None
    for _ in range(2):
        with pytest.raises(BadFile) as caught:
            repository.blob(entry, "HEAD~1")
        assert caught.value.problem.code == "GM003"
    with pytest.raises(BadFile):
        repository.source("HEAD~1").open("a.onnx")
    assert repository.blob(repository.entry("HEAD", "a.onnx"), "HEAD").head(9) == b"new"
    assert repo.git("rev-list", "--objects", "--all", "--missing=print") == missing


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="not a git repository"):
        Repository.open(str(tmp_path), os.environ)
    assert Repository.find(str(tmp_path), os.environ) is None


def test_no_git(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="git is not installed"):
        Repository.open(str(tmp_path), {"PATH": str(tmp_path)})


def test_a_foreign_owner_is_named(git_repo: MakeRepo) -> None:
    repo = git_repo(files=FILES)
    with pytest.raises(CouldNotRun, match=r"safe\.directory") as caught:
        Repository.find(str(repo.path), {**os.environ, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert str(repo.path) in str(caught.value)
    assert caught.value.hint == f"git config --global --add safe.directory '{repo.path}'"


def test_a_folder_below_the_root(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files=FILES)
    repository = opened(repo.path / "models")
    assert repository.prefix == "models/"
    assert repository.root == str(repo.path)
    assert [entry.path for entry in repository.entries(INDEX, ["README"])] == ["README"]


def test_a_folder_reached_by_a_symbolic_link(git_repo: MakeRepo, tmp_path: Path, opened: Open) -> None:
    repo = git_repo(files=FILES)
    (tmp_path / "link").symlink_to(repo.path / "models")
    assert opened(tmp_path / "link").prefix == "models/"


def test_quarantined_objects_are_read(git_repo: MakeRepo, tmp_path: Path, opened: Open) -> None:
    """A pre-receive hook sees new objects only through GIT_OBJECT_DIRECTORY."""
    repo = git_repo(files=FILES)
    quarantine = tmp_path / "quarantine"
    quarantine.mkdir()
    environ = {
        "GIT_OBJECT_DIRECTORY": str(quarantine),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repo.path / ".git/objects"),
    }
    os.environ.update(environ)
    try:
        oid = repo.git("hash-object", "-w", "--stdin", stdin=b"incoming")
    finally:
        for name in environ:
            del os.environ[name]
    assert opened(repo).objects(MANY).read(oid) is None
    assert opened(repo, **environ).objects(MANY).read(oid) == b"incoming"


def test_replaced_objects_do_not_stand_for_the_originals(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files=FILES)
    old, new = (repo.git("rev-parse", f"HEAD:models/{name}.onnx") for name in "ab")
    repo.git("replace", old, new)
    assert repo.git_bytes("cat-file", "blob", old) == FILES["models/b.onnx"]
    repository = opened(repo)
    assert repository.blob(repository.entry("HEAD", "models/a.onnx"), "HEAD").head(99) == FILES["models/a.onnx"]
