"""The file is larger than the limit `weights-outside-lfs` (100 MB by default) and is no LFS pointer.

Why: GitHub refuses files over 100 MB, and Git keeps every version in every clone for ever.

Example:

    model.safetensors: warning GM608 548 MB lie in Git itself

Fix: `git lfs track '*.safetensors'` and add the file again, or raise the limit in `.gitops-model.toml`.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM608", "weights-outside-lfs", Severity.WARNING, "a large model file is stored in Git itself")


def check(facts: Facts) -> Iterator[Finding]:
    for file in facts.files:
        limit, size = file.largest_outside_lfs, file.size
        if limit is None or size is None or file.pointer is not None or size <= limit:
            continue
        ending = file.path.rpartition("/")[2].rpartition(".")[2]
        problem = Problem(
            RULE.code,
            f"a model file of {size} bytes is stored in Git itself",
            expected=f"at most {limit} bytes, or Git LFS",
            found=f"{size} bytes",
            hint=command("git", "lfs", "track", f"*.{ending}"),
        )
        yield finding(RULE, file.path, problem)
