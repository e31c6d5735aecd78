"""The whole file was hashed (or its LFS pointer read), and the digest differs from the manifest's.

Why: either the file was exchanged without its manifest, or it is damaged. A reviewer cannot see which, so neither may
pass. A file that is itself cut short or damaged is told once, under that code.

Example:

    model.yaml:6:13: error GM201 model.onnx has another sha256

Fix: if the file is right, `gitops-model check --fix MANIFEST` writes the new digests (only those characters change),
then `git add` the manifest. If the manifest is right, restore the file.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM201", "checksum-mismatch", Severity.ERROR, "a file does not have the digest that its manifest states")


def check(facts: Facts) -> Iterator[Finding]:
    if facts.manifest is None:
        return
    hint = command("gitops-model", "check", "--fix", facts.here.path(facts.path))
    for file in facts.files:
        listed = facts.manifest.checksums.get(file.listed)
        for digest in listed.digests if listed is not None else ():
            found = file.digests.get(digest.algorithm)
            if found is not None and found != digest.value:
                message = f"{file.listed!r} has another {digest.algorithm}"
                if not digest.fixable:
                    message += " (written by alias or escape, so that --fix cannot replace it alone)"
                problem = Problem(
                    RULE.code,
                    message,
                    *digest.place,
                    expected=digest.value,
                    found=found,
                    hint=hint if digest.fixable else None,
                )
                yield finding(RULE, facts.path, problem)
