"""A note in `refs/notes/gitops-model` states digests for this very blob, and computing them again gave others.

Why: a blob never changes, so one of the two is wrong: somebody wrote the note by hand, with another version of the
recipe, or on purpose. GitHub cannot protect `refs/notes/*`; anybody who may push may write notes. That is why no
verdict rests on a note that was not written in the same run.

Example:

    model.onnx: error GM202 the note on blob 3f5a… states other weights than the bytes have

Fix: look at the note with `gitops-model notes show PATH` and at its history with
`git log -p refs/notes/gitops-model`; take the wrong line out with `git notes --ref=gitops-model edit ID`.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM202", "note-mismatch", Severity.ERROR, "the digests in a note are not those of the file")


def check(facts: Facts) -> Iterator[Finding]:
    for file in facts.files:
        for line in file.recorded or ():
            for name, stated in sorted(line.items()):
                computed = file.computed.get(name)
                if computed is not None and computed != stated:
                    message = f"the note states another {name} digest than the file has"
                    hint = command("gitops-model", "notes", "show", file.path)
                    problem = Problem(RULE.code, message, expected=stated, found=computed, hint=hint)
                    yield finding(RULE, file.path, problem)
