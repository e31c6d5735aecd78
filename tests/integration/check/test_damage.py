"""A listed file that is cut short or damaged: one trouble, told once."""

import os
from collections.abc import Callable

from support.gitrepo import GitRepo
from support.small_models import SAFETENSORS, manifest

from gitops_model.finding import Report
from gitops_model.pipeline.check import check

GOOD = {"a/w.safetensors": SAFETENSORS, "a/model.yaml": manifest(w_dot_safetensors=SAFETENSORS)}


def run(repo: GitRepo, **wanted: tuple[str, ...]) -> Report:
    return check(str(repo.path), os.environ, **wanted)  # type: ignore[arg-type]


def said(report: Report) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in report.findings]


def test_damage_is_told_once(git_repo: Callable[..., GitRepo]) -> None:
    """The digest differs as well, of course; but where nobody is told of the damage, that is what there is to tell."""
    repo = git_repo(files=GOOD)
    repo.write("a/w.safetensors", SAFETENSORS[:-1])
    report = run(repo)
    assert said(report) == [("GM001", "a/w.safetensors")]
    assert report.findings[0].message.endswith("; the manifest states the digest of another file")
    assert said(run(repo, select=("GM2",))) == said(run(repo, ignore=("GM001",))) == [("GM201", "a/model.yaml")]
    repo.write(".gitops-model.toml", '[severity]\nGM001 = "warning"\n')
    assert said(run(repo)) == [("GM201", "a/model.yaml"), ("GM001", "a/w.safetensors")]


def test_a_damaged_file_that_the_manifest_means(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo(files=GOOD)
    repo.write("a/w.safetensors", SAFETENSORS[:-1])
    repo.write("a/model.yaml", manifest(w_dot_safetensors=SAFETENSORS[:-1]))
    (finding,) = run(repo).findings
    assert (finding.code, "manifest" in finding.message) == ("GM001", False)
