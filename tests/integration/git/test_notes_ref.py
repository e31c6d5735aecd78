"""Notes as a ref: any fan-out is read, every writer's lines stay, and git and we read what the other writes."""

import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo

import gitops_model
from gitops_model.errors import CouldNotRun
from gitops_model.git import notes as _notes
from gitops_model.git import refs
from gitops_model.git.notes import REF, Notes, canonical
from gitops_model.git.objects import MANY
from gitops_model.git.repository import Repository

Open = Callable[..., Repository]
MakeRepo = Callable[..., GitRepo]
TREE = str(Path(gitops_model.__file__).parent.parent)


def oid(number: int) -> str:
    return hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()


def paths(repo: GitRepo) -> list[str]:
    return repo.git("ls-tree", "-r", "--name-only", REF).splitlines()


def lay(repo: GitRepo, tree: dict[str, bytes]) -> None:
    """Make the notes ref hold exactly these files."""
    stream = b"commit " + REF.encode() + b"\ncommitter A <a@b> 0 +0000\ndata 0\n"
    for path, content in tree.items():
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
    repo.git("fast-import", "--quiet", "--force", stdin=stream)


# --- no-op cases ---------------------------------------------------------------------------------------------------
def test_no_notes_at_all(git_repo: MakeRepo, opened: Open) -> None:
    notes = Notes(opened(git_repo(files={"x": b""})))
    assert notes.lines(oid(1)) == []
    assert notes.snapshot().all() == {}


def test_nothing_to_add_makes_no_commit(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"x": b""})
    notes = Notes(opened(repo))
    assert notes.add({}) == 0
    assert repo.git("for-each-ref", REF) == ""
    notes.add({oid(1): ["a", "b"]})
    before = repo.git("rev-parse", REF)
    assert notes.add({oid(1): ["b"]}) == 0
    assert repo.git("rev-parse", REF) == before


# --- fan-out -------------------------------------------------------------------------------------------------------
ID = oid(1)
FANS = {
    "flat": ({ID: b"a\n"}, ["a"]),
    "one level": ({f"{ID[:2]}/{ID[2:]}": b"a\n"}, ["a"]),
    "two levels": ({f"{ID[:2]}/{ID[2:4]}/{ID[4:]}": b"a\n"}, ["a"]),
    "three levels": ({f"{ID[:2]}/{ID[2:4]}/{ID[4:6]}/{ID[6:]}": b"a\n"}, ["a"]),
    "mixed": ({ID: b"a\n", f"{ID[:2]}/{ID[2:]}": b"b\n", f"{oid(2)[:2]}/{oid(2)[2:]}": b"c\n"}, ["a", "b"]),
    "beside what is no note": ({ID: b"a\n", "README": b"x", "zz/x": b"", "ab/README": b"", ID[:2] + "x": b""}, ["a"]),
    "nothing on this blob": ({oid(2): b"c\n"}, []),
}


@pytest.mark.parametrize("count", [1, MANY], ids=["git", "pygit2"])
@pytest.mark.parametrize("tree, lines", FANS.values(), ids=FANS.keys())
def test_any_fan_out_is_read_and_kept(
    git_repo: MakeRepo, opened: Open, tree: dict[str, bytes], lines: list[str], count: int
) -> None:
    repo = git_repo(files={"x": b""})
    lay(repo, tree)
    notes = Notes(opened(repo))
    assert sorted(notes.snapshot(count=count).lines(ID)) == lines
    assert notes.add({ID: ["new"]}) == 1
    assert notes.lines(ID) == [*lines, "new"]
    assert repo.git("notes", "--ref", REF, "show", ID).splitlines() == [*lines, "new"]
    (place,) = notes.snapshot().places(ID)
    assert place.path in tree or not lines
    assert {path for path in tree if path.replace("/", "") != ID} <= set(paths(repo)), "nothing else is moved"


def test_git_folds_our_notes_and_we_go_on_from_there(git_repo: MakeRepo, opened: Open) -> None:
    """git chooses a fan-out by the number of notes each time it writes."""
    repo = git_repo(files={"x": b""})
    notes = Notes(opened(repo))
    notes.add({oid(number): ["ours"] for number in range(20)})
    assert all(path[2] == "/" for path in paths(repo))
    repo.git("notes", "--ref", REF, "add", "-m", "git's", "HEAD:x")
    assert len(paths(repo)) == 21
    assert all("/" not in path for path in paths(repo))
    assert notes.add({oid(5): ["more"], oid(99): ["new"]}) == 2
    assert repo.git("notes", "--ref", REF, "show", oid(5)) == "more\nours"
    assert repo.git("notes", "--ref", REF, "show", oid(99)) == "new"
    assert repo.git("notes", "--ref", REF, "show", "HEAD:x") == "git's"


def test_libgit2_reads_and_adds_to_what_we_write(git_repo: MakeRepo, opened: Open) -> None:
    import pygit2

    repo = git_repo(files={"x": b""})
    notes = Notes(opened(repo))
    notes.add({oid(number): [str(number)] for number in range(300)})
    library = pygit2.Repository(str(repo.path))
    assert library.lookup_note(oid(7), REF).message == "7\n"
    person = pygit2.Signature("A", "a@b")
    library.create_note("theirs", person, person, oid(1000), REF)
    library.free()
    assert Notes(opened(repo)).lines(oid(1000)) == ["theirs"]


def test_ten_thousand_notes_are_one_commit(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"x": b""})
    notes = Notes(opened(repo))
    assert notes.add({oid(number): [f"line {number}"] for number in range(10_000)}) == 10_000
    assert repo.git("rev-list", "--count", REF) == "1"
    assert repo.git("count-objects").startswith("3 objects"), "packed, not one file each"
    assert len(notes.snapshot(count=10_000).all()) == 10_000
    assert repo.git("notes", "--ref", REF, "show", oid(1234)) == "line 1234"
    assert notes.add({oid(1234): ["more"]}) == 1


def test_a_note_of_sixty_thousand_tensors(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"x": b""})
    tensors = [[f"model.layers.{number}.weight", "float32", [1024, 1024], "0" * 64] for number in range(60_000)]
    lines = [canonical({"v": 1, "kind": "fingerprint", "tensors": tensors, "weights": str(n)}) for n in range(2)]
    notes = Notes(opened(repo))
    notes.add({oid(1): lines[:1]})
    notes.add({oid(1): lines[1:]})
    assert notes.lines(oid(1)) == sorted(lines)
    assert len(notes.lines(oid(1))[0]) > 6_000_000


def test_a_note_that_is_too_large_is_not_read(
    git_repo: MakeRepo, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = git_repo(files={"x": b""})
    notes = Notes(opened(repo))
    notes.add({oid(1): ["x" * 5000]})
    monkeypatch.setattr(_notes, "LIMIT", 4096)
    with pytest.raises(CouldNotRun, match="has 5001 bytes"):
        notes.lines(oid(1))


def test_who_writes_where_nobody_is_configured(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"x": b""})
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull}
    Notes(opened(repo, **nobody)).add({oid(1): ["a"]})
    assert repo.git("log", "-1", "--format=%an <%ae>", REF) == "gitops-model <gitops-model@localhost>"
    Notes(opened(repo)).add({oid(2): ["a"]})
    assert repo.git("log", "-1", "--format=%cn <%ce>", REF) == "Test Person <test@example.com>"


# --- several writers -----------------------------------------------------------------------------------------------
WRITER = """
    import os, sys
    from gitops_model.git.notes import Notes
    from gitops_model.git.repository import Repository
    me = int(sys.argv[1])
    sys.stdin.read()  # all start together
    with Repository.open(".", os.environ) as repository:
        notes = Notes(repository)
        for number in range(6):
            notes.add({f"{number:040x}": [f"writer {me}"], f"{me + 100:020x}{number:020x}": ["own"]})
"""


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_eight_writers_lose_nothing(git_repo: MakeRepo, opened: Open, object_format: str) -> None:
    repo = git_repo(files={"x": b""}, object_format=object_format)
    program = textwrap.dedent(WRITER)
    if object_format == "sha256":
        program = program.replace(":040x", ":064x").replace(":020x", ":032x")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number)],
            cwd=repo.path,
            env={**os.environ, "PYTHONPATH": TREE},
            stdin=subprocess.PIPE,
        )
        for number in range(8)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    assert [writer.wait(120) for writer in writers] == [0] * 8
    notes = Notes(opened(repo)).snapshot()
    assert len(notes.all()) == 6 + 8 * 6
    length = 64 if object_format == "sha256" else 40
    for number in range(6):
        assert notes.lines(f"{number:0{length}x}") == {f"writer {me}" for me in range(8)}
    repo.git("fsck", "--strict")
    assert repo.git("for-each-ref", "refs/gitops-model") == ""


def test_the_loser_unites_with_the_winner(git_repo: MakeRepo, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = git_repo(files={"x": b""})
    swap = refs.swap
    calls: list[str | None] = []

    def slow_swap(git: object, ref: str, new: str, old: str | None, reason: str) -> bool:
        calls.append(old)
        if len(calls) < 4:
            monkeypatch.setattr(refs, "swap", swap)
            Notes(opened(repo)).add({oid(1): [f"faster {len(calls)}"]})
            monkeypatch.setattr(refs, "swap", slow_swap)
        return swap(git, ref, new, old, reason)

    monkeypatch.setattr(refs, "swap", slow_swap)
    monkeypatch.setattr(_notes, "_wait", lambda _attempt: None)
    assert Notes(opened(repo)).add({oid(1): ["slow"]}) == 1
    assert len(calls) == 4
    assert Notes(opened(repo)).lines(oid(1)) == ["faster 1", "faster 2", "faster 3", "slow"]


def test_giving_up_is_an_error(git_repo: MakeRepo, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refs, "swap", lambda *_: False)
    monkeypatch.setattr(_notes, "_wait", lambda _attempt: None)
    with pytest.raises(CouldNotRun, match="changed by others all the time"):
        Notes(opened(git_repo(files={"x": b""}))).add({oid(1): ["a"]})


def test_a_ref_that_cannot_be_written_is_an_error(git_repo: MakeRepo, opened: Open) -> None:
    repo = git_repo(files={"x": b""})
    repo.git("update-ref", "refs/notes/gitops-model/below", "HEAD")
    with pytest.raises(CouldNotRun, match="update-ref"):
        Notes(opened(repo)).add({oid(1): ["a"]})
