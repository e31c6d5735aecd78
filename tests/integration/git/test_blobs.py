"""Bytes of large blobs: streamed, from the work tree where that is certain, never held as a whole."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

import gitops_model
from gitops_model.blob import Blob
from gitops_model.errors import CouldNotRun
from gitops_model.git import objects
from gitops_model.git import repository as _repository
from gitops_model.git.entries import INDEX, WORKTREE
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything above 64 bytes is large."""
    monkeypatch.setattr(_repository, "SMALL", 64)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the blobs that were spooled, in order."""
    ids: list[str] = []
    real = objects.stream_to

    def counted(git: object, oid: str, fd: int) -> None:
        ids.append(oid)
        real(git, oid, fd)

    monkeypatch.setattr(_repository, "stream_to", counted)
    return ids


CONTENT = bytes(range(256)) * 4


def content(blob: Blob) -> bytes:
    with blob:
        return b"".join(bytes(window) for window in blob.windows(0, blob.size))


def get(repository: Repository, place: object, path: str = "m.onnx") -> bytes:
    entry = repository.entry(place, path)
    assert entry is not None
    return content(repository.blob(entry, place))


@pytest.mark.parametrize("place", ["HEAD", INDEX], ids=str)
def test_the_unmodified_work_tree_file_serves(
    git_repo: MakeRepo, opened: Open, streamed: list[str], place: object
) -> None:
    repository = opened(git_repo(files={"m.onnx": CONTENT}))
    assert get(repository, place) == CONTENT
    assert streamed == []


def edit(repo: GitRepo) -> None:
    repo.write("m.onnx", b"x" * len(CONTENT))


def edit_and_keep_the_time(repo: GitRepo) -> None:
    """Same size, same mtime, and the index written within the same tick: only the content tells ("racy git")."""
    path = repo.path / "m.onnx"
    before = path.stat()
    path.write_bytes(b"x" * len(CONTENT))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    index = repo.path / ".git/index"
    os.utime(index, ns=(before.st_atime_ns, before.st_mtime_ns))


def touch(repo: GitRepo) -> None:
    os.utime(repo.path / "m.onnx", (1, 1))


def stage_another(repo: GitRepo) -> None:
    repo.write("m.onnx", b"y" * len(CONTENT))
    repo.git("add", "m.onnx")


def assume_unchanged(repo: GitRepo) -> None:
    repo.git("update-index", "--assume-unchanged", "m.onnx")
    edit(repo)


def skip_worktree(repo: GitRepo) -> None:
    repo.git("update-index", "--skip-worktree", "m.onnx")
    edit(repo)


def delete(repo: GitRepo) -> None:
    (repo.path / "m.onnx").unlink()


def replace_by_a_link(repo: GitRepo) -> None:
    (repo.path / "m.onnx").rename(repo.path / "other")
    (repo.path / "m.onnx").symlink_to("other")


def behind_a_linked_folder(repo: GitRepo) -> None:
    (repo.path / "folder").rename(repo.path / "real")
    (repo.path / "folder").symlink_to("real")


CHANGES = [
    edit,
    edit_and_keep_the_time,
    touch,
    stage_another,
    assume_unchanged,
    skip_worktree,
    delete,
    replace_by_a_link,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_any_other_work_tree_file_does_not(
    git_repo: MakeRepo, opened: Open, streamed: list[str], change: Callable[[GitRepo], None]
) -> None:
    repo = git_repo(files={"m.onnx": CONTENT})
    change(repo)
    assert get(opened(repo), "HEAD") == CONTENT
    assert streamed == [repo.git("rev-parse", "HEAD:m.onnx")]


def test_nor_does_one_behind_a_linked_folder(git_repo: MakeRepo, opened: Open, streamed: list[str]) -> None:
    repo = git_repo(files={"folder/m.onnx": CONTENT})
    behind_a_linked_folder(repo)
    assert get(opened(repo), "HEAD", "folder/m.onnx") == CONTENT
    assert len(streamed) == 1


FILTERS = {
    "a filter": ("filter=swap", {"filter.swap.clean": "tr ab ba", "filter.swap.smudge": "tr ab ba"}),
    "line ends": ("text eol=crlf", {}),
    "ident": ("ident", {}),
    "an encoding": ("working-tree-encoding=UTF-16LE", {}),
}


@pytest.mark.parametrize("attributes, settings", FILTERS.values(), ids=FILTERS.keys())
def test_nor_does_one_that_git_converts(
    git_repo: MakeRepo, opened: Open, streamed: list[str], attributes: str, settings: dict[str, str]
) -> None:
    repo = git_repo()
    for name, value in settings.items():
        repo.git("config", name, value)
    text = b"$Id$ ab\n" * 40
    repo.write(".gitattributes", f"*.onnx {attributes}\n")
    repo.write("m.onnx", text.decode().encode("utf-16-le") if "UTF-16" in attributes else text)
    repo.commit()
    (repo.path / "m.onnx").unlink()
    repo.git("checkout", "m.onnx")
    expected = repo.git_bytes("cat-file", "blob", "HEAD:m.onnx")
    assert (repo.path / "m.onnx").read_bytes() != expected
    assert get(opened(repo), "HEAD") == expected
    assert len(streamed) == 1


@pytest.mark.parametrize("attributes", ["-text", "binary", "-filter"])
def test_attributes_that_convert_nothing_do_no_harm(
    git_repo: MakeRepo, opened: Open, streamed: list[str], attributes: str
) -> None:
    repo = git_repo(files={".gitattributes": f"*.onnx {attributes}\n", "m.onnx": CONTENT})
    assert get(opened(repo), INDEX) == CONTENT
    assert streamed == []


def test_the_work_tree_itself_is_read_as_it_is(git_repo: MakeRepo, opened: Open, streamed: list[str]) -> None:
    repo = git_repo(files={"m.onnx": CONTENT})
    edit(repo)
    repository = opened(repo)
    assert get(repository, WORKTREE) == b"x" * len(CONTENT)
    assert get(repository, INDEX) == CONTENT
    assert len(streamed) == 1


def test_a_change_while_reading_shows(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"m.onnx": CONTENT})
    repository = opened(repo)
    with repository.blob(repository.entry(INDEX, "m.onnx"), INDEX) as blob:
        assert not blob.changed()
        os.utime(repo.path / "m.onnx", (1, 1))
        assert blob.changed()


def test_no_room_for_a_spool_file(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="no room"):
        objects.spool({"TMPDIR": str(tmp_path)}, 1 << 60)
    with pytest.raises(CouldNotRun, match="no room"):
        objects.spool({"TMPDIR": str(tmp_path / "nowhere")}, 1)


@pytest.mark.parametrize("flag", [True, False], ids=["O_TMPFILE", "a file without a name"])
def test_a_spool_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: bool) -> None:
    if not flag:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    fd = objects.spool({"TMPDIR": str(tmp_path)}, 1)
    os.write(fd, b"1")
    assert list(tmp_path.iterdir()) == []
    os.close(fd)


# --- memory --------------------------------------------------------------------------------------------------------
SIZE = 160 << 20
PROGRAM = """
    import os, resource, sys
    from gitops_model.git.repository import Repository
    with Repository.open(".", os.environ) as repository:
        entry = repository.entry(sys.argv[1], "m.onnx")
        with repository.blob(entry, sys.argv[1]) as blob:
            total = sum(len(window) for window in blob.windows(0, blob.size))
    assert total == int(sys.argv[2]), total
    # Not ru_maxrss of itself: that counts what the process that started this one held when it forked.
    with open("/proc/self/status") as status:
        own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("how", ["work tree", "loose", "packed"])
def test_memory_does_not_grow_with_the_blob(git_repo: MakeRepo, how: str) -> None:
    repo = git_repo()
    with (repo.path / "m.onnx").open("wb") as file:
        file.truncate(SIZE)
    repo.git("config", "core.looseCompression", "0" if how == "loose" else "1")
    repo.git("-c", "core.bigFileThreshold=1g", "add", "m.onnx")
    repo.git("commit", "--quiet", "-m", "Large")
    if how == "packed":
        repo.git("-c", "core.bigFileThreshold=1m", "gc", "--quiet", "--prune=now")
    if how != "work tree":
        (repo.path / "m.onnx").unlink()
    tree = str(Path(gitops_model.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), "HEAD", str(SIZE)],
        cwd=repo.path,
        env={**os.environ, "PYTHONPATH": tree, "TMPDIR": str(repo.path.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    own, git = (int(word) // 1024 for word in done.stdout.split())
    assert own <= 96
    assert git <= (SIZE >> 20) + 32 if how == "loose" else git <= 96, f"git took {git} MiB"
