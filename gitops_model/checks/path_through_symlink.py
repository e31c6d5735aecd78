"""Git stores a link as the text of its target. The model is then not in the repository at all, or is there twice
under two names, and what a clone reads depends on the machine.

Example:

    models/model.onnx: error GM116 the model file is a symbolic link

Fix: commit the file itself: `cp --remove-destination "$(readlink -f PATH)" PATH && git add PATH`, with Git LFS if it
is large.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM116", "path-through-symlink", Severity.ERROR, "a model file is, or lies behind, a symbolic link")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
    if facts.manifest is None:
        return
    for linked in facts.linked:
        place = facts.manifest.checksums[linked.listed].place
        what = "is a symbolic link" if linked.link == linked.path else f"lies behind the symbolic link {linked.link!r}"
        message = f"the listed file {linked.listed!r} {what}"
        problem = Problem(RULE.code, message, *place, expected="a regular file", found="a symbolic link")
        yield finding(RULE, facts.path, problem)
