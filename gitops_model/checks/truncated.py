"""A file states how long its parts are, and it ends before they do. An empty file is the shortest case. Every proper
beginning of a valid file is reported once, under this code.

Why: an interrupted download or copy, a full disk, or `git add` while the file was still being written. Loaders often
accept such a file: `onnx.load` reads an empty one as an empty model.

Example:

    model.onnx: error GM001 the file ends at byte 4096, but its structure needs 65536 bytes at 320

Fix: export or download the file again, compare its size with the source, then `git add` it.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM001", "truncated", Severity.ERROR, "the file ends before its own structure does")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
