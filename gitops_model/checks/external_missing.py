"""The model keeps weights in other files (ONNX external data, shards), and one of them is not in the same place: the
index for a commit, the commit for `--rev`.

Why: it happens in public repositories: the small `.onnx` is committed, the large data file is forgotten, and every
clone is broken.

Example:

    model.onnx: error GM010 the file 'model.onnx.data' that the model needs is not there

Fix: `git add` the file, and list it in the manifest.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM010", "external-data-missing", Severity.ERROR, "a file that the model refers to is not there")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
