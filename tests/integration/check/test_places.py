"""Which subjects a run looks at, in an index, a commit, a work tree, and outside a repository."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gitrepo import GitRepo
from support.program import Program
from support.small_models import OTHER_SAFETENSORS, SAFETENSORS, manifest, pointer, sha256

from gitops_model.errors import CouldNotRun
from gitops_model.finding import Report
from gitops_model.pipeline.check import check

Factory = Callable[..., GitRepo]
GOOD = {"a/w.safetensors": SAFETENSORS, "a/model.yaml": manifest(w_dot_safetensors=SAFETENSORS)}


def run(repo: GitRepo | Path, *paths: str, **wanted: object) -> Report:
    folder = repo.path if isinstance(repo, GitRepo) else repo
    return check(str(folder), os.environ, paths=paths, **wanted)  # type: ignore[arg-type]


def said(report: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in report.findings]


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, git_repo: Factory) -> GitRepo:
    return git_repo("repo", files=GOOD, object_format=request.param)


# --- nothing to say ------------------------------------------------------------------------------------------------
def test_nothing_staged(repo: GitRepo) -> None:
    report = run(repo, staged=True)
    assert (report.findings, report.manifests, report.files) == ((), 0, 0)


def test_an_empty_repository(git_repo: Factory) -> None:
    repo = git_repo("empty")
    assert run(repo).findings == ()
    assert run(repo, staged=True).findings == ()


def test_other_files_are_nobodys_business(repo: GitRepo) -> None:
    repo.write("README.md", "x")
    repo.git("add", ".")
    report = run(repo, staged=True)
    assert (report.findings, report.manifests) == ((), 0)


def test_a_good_commit(repo: GitRepo) -> None:
    for wanted in ({}, {"rev": "HEAD"}):
        report = run(repo, **wanted)
        assert (report.findings, report.manifests, report.files) == ((), 1, 1)


def test_an_unrelated_manifest_is_not_read_again(repo: GitRepo) -> None:
    repo.commit("Manifest above", {"x": b"1", "model.yaml": manifest(x=b"1")})
    repo.write("b/w.safetensors", SAFETENSORS)
    repo.git("add", ".")
    report = run(repo, staged=True)
    assert (report.manifests, report.files) == (0, 1)


# --- the index -----------------------------------------------------------------------------------------------------
def test_a_changed_file_makes_its_manifest_wrong(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    assert said(run(repo, staged=True)) == [], "nothing is staged yet"
    repo.git("add", ".")
    report = run(repo, staged=True)
    assert said(report) == [("GM201", "a/model.yaml")]
    finding = report.findings[0]
    assert (finding.line, finding.expected, finding.found) == (5, sha256(SAFETENSORS), sha256(OTHER_SAFETENSORS))
    assert finding.hint == "gitops-model check --fix a/model.yaml"


def test_the_index_counts_and_not_the_work_tree(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    repo.git("add", ".")
    repo.write("a/w.safetensors", SAFETENSORS)
    assert said(run(repo, staged=True)) == [("GM201", "a/model.yaml")]
    assert said(run(repo)) == []


def test_a_deleted_file(repo: GitRepo) -> None:
    repo.git("rm", "-q", "a/w.safetensors")
    report = run(repo, staged=True)
    assert said(report) == [("GM111", "a/model.yaml")]
    hint = report.findings[0].hint or ""
    repo.git(*hint.split()[1:])
    assert said(run(repo, staged=True)) == []


def test_a_file_that_was_only_taken_out_of_the_index(repo: GitRepo) -> None:
    repo.git("rm", "-q", "--cached", "a/w.safetensors")
    report = run(repo, staged=True)
    assert said(report) == [("GM111", "a/model.yaml")]
    assert report.findings[0].hint == "git add -- a/w.safetensors"


def test_a_renamed_file(repo: GitRepo) -> None:
    repo.git("mv", "a/w.safetensors", "a/v.safetensors")
    report = run(repo, staged=True)
    assert said(report) == [("GM111", "a/model.yaml"), ("GM112", "a/v.safetensors")]
    assert "did you mean 'v.safetensors'" in report.findings[0].message


def test_a_file_that_became_a_link(repo: GitRepo) -> None:
    (repo.path / "a/w.safetensors").unlink()
    (repo.path / "a/w.safetensors").symlink_to("/etc/passwd")
    repo.git("add", ".")
    assert said(run(repo, staged=True)) == [("GM116", "a/model.yaml")]


def test_a_model_that_is_added_as_a_link(repo: GitRepo) -> None:
    (repo.path / "b").mkdir()
    (repo.path / "b/new.onnx").symlink_to("../a/w.safetensors")
    repo.git("add", ".")
    report = run(repo, staged=True)
    assert said(report) == [("GM116", "b/new.onnx")]
    assert "readlink" in (report.findings[0].hint or "")


def test_a_model_that_is_added_beside_a_manifest(repo: GitRepo) -> None:
    repo.write("a/new.safetensors", SAFETENSORS)
    repo.git("add", ".")
    assert said(run(repo, staged=True)) == [("GM112", "a/new.safetensors")]


def test_a_listed_file_whose_name_says_nothing(git_repo: Factory) -> None:
    repo = git_repo("repo", files={"w.data": b"1", "model.yaml": manifest(w_dot_data=b"1")})
    repo.write("w.data", b"2")
    repo.git("add", ".")
    assert said(run(repo, staged=True)) == [("GM201", "model.yaml")]


def test_a_file_listed_from_a_folder_above(git_repo: Factory) -> None:
    repo = git_repo("repo", files={"d/e/w.data": b"1", "model.yaml": manifest(d__e__w_dot_data=b"1")})
    repo.git("rm", "-q", "d/e/w.data")
    assert said(run(repo, staged=True)) == [("GM111", "model.yaml")]


def test_a_deleted_manifest_has_nothing_to_say(repo: GitRepo) -> None:
    repo.git("rm", "-q", "a/model.yaml")
    assert said(run(repo, staged=True)) == []


def test_another_index_is_the_one_that_git_says(repo: GitRepo) -> None:
    """Under `git commit PATH` and `git commit -a` git names an index of its own."""
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    other = str(repo.path / ".git/other-index")
    environ = {**os.environ, "GIT_INDEX_FILE": other}
    (repo.path / ".git/other-index").write_bytes((repo.path / ".git/index").read_bytes())
    import subprocess

    subprocess.run(["git", "add", "."], cwd=repo.path, env=environ, check=True)
    assert said(check(str(repo.path), os.environ, staged=True)) == []
    assert said(check(str(repo.path), environ, staged=True)) == [("GM201", "a/model.yaml")]


# --- paths ---------------------------------------------------------------------------------------------------------
def test_paths_are_relative_to_where_the_caller_stands(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    assert said(run(repo.path / "a", "model.yaml")) == [("GM201", "a/model.yaml")]
    assert said(run(repo.path / "a", "../a")) == [("GM201", "a/model.yaml")]
    assert said(run(repo.path / "a", ".")) == [("GM201", "a/model.yaml")]
    assert said(run(repo, str(repo.path / "a/model.yaml"))) == [("GM201", "a/model.yaml")]


def test_a_model_file_named_by_path_is_checked_by_itself(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    report = run(repo, "a/w.safetensors")
    assert (said(report), report.manifests, report.files) == ([], 0, 1)
    repo.write("a/w.safetensors", b"")
    assert said(run(repo, "a/w.safetensors")) == [("GM001", "a/w.safetensors")]


def test_a_staged_model_file_named_by_path(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", b"")
    repo.git("add", ".")
    repo.write("a/w.safetensors", SAFETENSORS)
    assert said(run(repo, "a/w.safetensors", staged=True)) == [("GM001", "a/w.safetensors")]
    assert said(run(repo, "a", staged=True)) == [("GM001", "a/w.safetensors")]
    assert said(run(repo, "a/w.safetensors", rev="HEAD")) == []


def test_a_deleted_file_named_by_path_when_staged_is_no_error(repo: GitRepo) -> None:
    """The framework passes names; one that the commit deletes has nothing to be checked by itself."""
    repo.git("rm", "-q", "a/w.safetensors")
    assert said(run(repo, "a/w.safetensors", staged=True)) == []


@pytest.mark.parametrize("wanted", [{}, {"staged": True}, {"rev": "HEAD"}])
def test_a_path_that_is_not_there(repo: GitRepo, wanted: dict[str, object]) -> None:
    with pytest.raises(CouldNotRun, match=r"gone\.onnx: no such file"):
        run(repo, "gone.onnx", **wanted)


def test_an_ignored_file_can_be_named(repo: GitRepo) -> None:
    repo.write(".gitignore", "*.safetensors\n")
    repo.write("b/w.safetensors", b"")
    assert said(run(repo)) == []
    assert said(run(repo, "b/w.safetensors")) == [("GM001", "b/w.safetensors")]


def test_special_files_are_named_and_not_opened(repo: GitRepo) -> None:
    os.mkfifo(repo.path / "pipe.onnx")
    (repo.path / "link.onnx").symlink_to("/dev/zero")
    (repo.path / "dangling.onnx").symlink_to("/nowhere")
    report = run(repo, "pipe.onnx", "link.onnx", "dangling.onnx")
    assert said(report) == [("GM116", "dangling.onnx"), ("GM116", "link.onnx"), ("GM008", "pipe.onnx")]


def test_a_device_outside_a_repository(tmp_path: Path) -> None:
    assert said(run(tmp_path, "/dev/null")) == [("GM008", "/dev/null")]


def test_two_places_at_once_are_refused(repo: GitRepo) -> None:
    with pytest.raises(CouldNotRun):
        run(repo, staged=True, rev="HEAD")


def test_a_path_outside_cannot_be_staged(repo: GitRepo, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"")
    with pytest.raises(CouldNotRun, match="outside"):
        run(repo, "../x.onnx", staged=True)


# --- without a repository ------------------------------------------------------------------------------------------
def test_files_outside_any_repository(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    for name, content in GOOD.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run(folder, ".").manifests == 1
    assert said(run(folder, "a", "a/model.yaml", "a/w.safetensors")) == []
    (folder / "a/w.safetensors").write_bytes(b"")
    assert said(run(folder, "a/w.safetensors")) == [("GM001", "a/w.safetensors")]
    assert said(run(folder / "a", "model.yaml")) == [("GM001", "w.safetensors")]


def test_outside_a_repository_a_path_is_needed(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match="not a git repository"):
        run(tmp_path)


def test_a_bare_repository_has_revisions_only(repo: GitRepo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = tmp_path / "bare.git"
    assert run(bare, rev="HEAD").manifests == 1
    assert run(bare, "a", rev="HEAD").manifests == 1
    with pytest.raises(CouldNotRun, match="bare"):
        run(bare)
    with pytest.raises(CouldNotRun):
        run(bare, staged=True)


def test_a_linked_work_tree(repo: GitRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    linked = GitRepo(tmp_path / "linked")
    linked.git("rm", "-q", "a/w.safetensors")
    assert said(run(linked, staged=True)) == [("GM111", "a/model.yaml")]
    assert said(run(repo, staged=True)) == []


def test_a_submodule_where_a_file_should_be(git_repo: Factory) -> None:
    repo = git_repo("repo", files=GOOD)
    inner = git_repo("inner", files={"x": b"1"})
    head = inner.git("rev-parse", "HEAD")
    repo.git("rm", "-q", "--cached", "a/w.safetensors")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},a/w.safetensors")
    assert said(run(repo, staged=True)) == [("GM008", "a/w.safetensors")]


# --- pointers ------------------------------------------------------------------------------------------------------
@pytest.fixture
def lfs(git_repo: Factory) -> GitRepo:
    """A clone without LFS content: the pointer is what git has, and what is on disk."""
    files = {"w.safetensors": pointer(SAFETENSORS), "model.yaml": manifest(w_dot_safetensors=SAFETENSORS)}
    return git_repo("lfs", files=files)


def test_the_digest_of_a_pointer_is_free(lfs: GitRepo) -> None:
    report = run(lfs)
    assert [(one.code, one.severity.label) for one in report.findings] == [("GM003", "note")]
    assert report.findings[0].hint == "git lfs pull --include=w.safetensors"


def test_a_pointer_to_something_else(lfs: GitRepo) -> None:
    lfs.write("w.safetensors", pointer(OTHER_SAFETENSORS))
    lfs.git("add", ".")
    assert said(run(lfs, staged=True)) == [("GM201", "model.yaml"), ("GM003", "w.safetensors")]


def test_a_digest_that_no_pointer_states_is_said_to_be_uncompared(lfs: GitRepo) -> None:
    text = (lfs.path / "model.yaml").read_text().replace("{sha256:", "{blake3: " + "0" * 64 + ", sha256:")
    lfs.write("model.yaml", text)
    report = run(lfs)
    assert said(report) == [("GM003", "w.safetensors")]
    assert "so blake3 could not be compared" in report.findings[0].message


def test_a_pointer_that_is_named_is_an_error(lfs: GitRepo) -> None:
    assert [(one.code, one.severity.label) for one in run(lfs, "w.safetensors").findings] == [("GM003", "error")]


def test_content_in_the_lfs_store_is_used(lfs: GitRepo) -> None:
    oid = sha256(SAFETENSORS)
    lfs.write(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", SAFETENSORS)
    report = run(lfs, rev="HEAD")
    assert (report.findings, report.files) == ((), 1)


# --- configuration -------------------------------------------------------------------------------------------------
def test_ignores_and_severities_hold_per_path(repo: GitRepo) -> None:
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    repo.write(".gitops-model.toml", '[[paths]]\nmatch = ["a/**"]\nignore = ["GM2"]\n')
    assert said(run(repo)) == []
    repo.write(".gitops-model.toml", '[severity]\nGM201 = "warning"\n')
    assert [one.severity.label for one in run(repo).findings] == ["warning"]


def test_an_ignore_that_hides_nothing(repo: GitRepo) -> None:
    repo.commit("Ignore", {".gitops-model.toml": '[[paths]]\nmatch = ["a/**"]\nignore = ["GM2"]\n'})
    report = run(repo)
    assert [(one.code, one.path, one.severity.label) for one in report.findings] == [
        ("GM190", ".gitops-model.toml", "warning")
    ]
    assert said(run(repo, rev="HEAD")) == [("GM190", ".gitops-model.toml")]
    assert said(run(repo, "a")) == [], "a run over a part cannot know"
    assert said(run(repo, staged=True)) == []
    assert said(run(repo, select=("GM1",))) == []
    assert said(run(repo, ignore=("GM190",))) == []


def test_the_configuration_is_that_of_the_place(repo: GitRepo) -> None:
    repo.write(".gitops-model.toml", "nonsense = 1\n")
    assert said(run(repo, rev="HEAD")) == []
    assert said(run(repo, staged=True)) == []
    with pytest.raises(CouldNotRun, match="nonsense"):
        run(repo)


def test_limits(repo: GitRepo) -> None:
    repo.write(".gitops-model.toml", "[limits]\nmanifest-size = 10\nweights-outside-lfs = 10\n")
    report = run(repo)
    assert [(one.code, one.path, one.severity.label) for one in report.findings] == [
        ("GM113", "a/model.yaml", "error"),
        ("GM608", "a/w.safetensors", "warning"),
    ]
    assert report.findings[1].hint == "git lfs track '*.safetensors'"


def test_select_and_ignore(repo: GitRepo) -> None:
    repo.write("a/model.yaml", "zz: 1\n")
    assert {finding.code for finding in run(repo).findings} == {"GM103", "GM104", "GM112"}
    assert {finding.code for finding in run(repo, select=("GM103",)).findings} == {"GM103"}
    assert {finding.code for finding in run(repo, ignore=("GM1",)).findings} == set()


def test_paths_that_are_no_utf_8(git_repo: Factory) -> None:
    repo = git_repo("repo")
    with open(os.fsencode(repo.path) + b"/caf\xe9.onnx", "wb") as stream:
        stream.write(b"")
    repo.git("add", ".")
    assert said(run(repo, staged=True)) == [("GM001", "caf\udce9.onnx")]


# --- what helps ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", [".", "a", "b/c"])
def test_the_command_that_helps_works_where_the_caller_stands(repo: GitRepo, where: str, cli: Program) -> None:
    repo.write("b/c/x", "")
    repo.write("a/w.safetensors", OTHER_SAFETENSORS)
    folder = repo.path / where
    finding = run(folder).findings[0]
    program, *words = (finding.hint or "").split()
    assert (finding.path, program) == ("a/model.yaml", "gitops-model")
    cli(*words, cwd=folder, check=0)
    assert said(run(repo)) == []
    (repo.path / "a/w.safetensors").unlink()
    git, *words = (run(folder).findings[0].hint or "").split()
    assert git == "git"
    repo.git("-C", str(folder), *words)
    assert said(run(repo)) == [("GM201", "a/model.yaml")], (
        "what was committed is back, and the mended digest is not its"
    )


def test_a_file_that_never_was_has_no_way_back(repo: GitRepo) -> None:
    text = manifest(w_dot_safetensors=SAFETENSORS, never_dot_bin=b"1")
    repo.write("a/model.yaml", text)
    assert [finding.hint for finding in run(repo).findings] == ["gitops-model explain GM111"]
    repo.git("add", ".")
    assert [finding.hint for finding in run(repo, staged=True).findings] == ["gitops-model explain GM111"]
