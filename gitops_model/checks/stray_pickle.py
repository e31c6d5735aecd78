"""The file is a pickle under the name of a format that holds only data. A pickle is a program: loading it can run
anything.

Why: a loader that guesses by content (many do) would execute it. It is never loaded here; only its first bytes are
looked at.

Example:

    model.onnx: error GM604 this is a pickle, and loading a pickle runs code

Fix: find out where the file came from. If it is a real checkpoint, give it its ending (`.pt`, `.pkl`) or convert it
to safetensors.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM604", "stray-pickle", Severity.ERROR, "a pickle lies where none belongs")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
