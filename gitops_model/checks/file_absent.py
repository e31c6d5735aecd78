"""The manifest lists a file that the checked place (index, commit or work tree) does not hold.

Why: the file was deleted or renamed and the manifest was not told, or it was never added.

Example:

    model.yaml:5:3: error GM111 the listed file 'model.onnx' is not in the index

Fix: the hint restores or adds the file; if it is gone on purpose, delete its entry from the manifest in the same
commit.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM111", "file-absent", Severity.ERROR, "a listed file is not there")


def check(facts: Facts) -> Iterator[Finding]:
    if facts.manifest is None:
        return
    for absent in facts.absent:
        place = facts.manifest.checksums[absent.listed].place
        message = f"the listed file {absent.listed!r} is {'a folder' if absent.is_folder else 'not there'}"
        message += f"; did you mean {absent.close!r}?" if absent.close else ""
        found = "a folder" if absent.is_folder else "no file"
        problem = Problem(RULE.code, message, *place, expected="a file", found=found, hint=absent.hint)
        yield finding(RULE, facts.path, problem)
