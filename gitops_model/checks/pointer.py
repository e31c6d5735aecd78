"""Git stores a small pointer in place of the file, and the content is not on this machine. What a pointer states (its
SHA-256) is compared with the manifest; everything that needs the bytes is left out.

Why a note: a clone without LFS content is normal in CI. It is an error where you named the file itself, because then
nothing of what you asked for was done.

Example:

    model.onnx: note GM003 the content is not here, so blake3 was not compared

Fix: `git lfs pull --include=PATH`, then check again.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM003", "pointer", Severity.NOTE, "the content is elsewhere: a pointer of Git LFS, DVC or git-xet")


def check(facts: Facts) -> Iterator[Finding]:
    severity = Severity.ERROR if facts.named else Severity.NOTE
    for problem in facts.problems:
        if problem.code == RULE.code:
            # a manifest that is a pointer cannot be judged at all
            yield finding(RULE, facts.path, problem, Severity.ERROR)
    for file in facts.files:
        for problem in file.problems:
            if problem.code == RULE.code:
                yield finding(RULE, file.path, problem, severity)
