"""An ONNX file says what it takes and gives. The manifest must say it too: it is what a reviewer reads and what a
client relies on. Formats of bare weights (safetensors) need no declaration.

Example:

    model.yaml:1:1: error GM306 model.onnx has a signature, but the manifest declares no 'outputs'

Fix: `gitops-model init FILE --manifest -` prints a manifest with both; copy the sections.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule(
    "GM306", "signature-undeclared", Severity.ERROR, "inputs and outputs are not declared, though the format has them"
)


def check(facts: Facts) -> Iterator[Finding]:
    manifest = facts.manifest
    if manifest is None:
        return
    for file in facts.files:
        model = file.model
        if model is None or model.inputs is None or model.outputs is None:
            continue
        lacking = [
            name for name, value in (("inputs", manifest.inputs), ("outputs", manifest.outputs)) if value is None
        ]
        if lacking:
            message = f"{file.listed!r} has a signature, but the manifest declares no {' and no '.join(lacking)}"
            place = manifest.where() or (1, 1)
            hint = command("gitops-model", "init", facts.here.path(file.path), "--manifest", "-")
            problem = Problem(RULE.code, message, *place, expected=", ".join(lacking), found="nothing", hint=hint)
            yield finding(RULE, facts.path, problem)
            return  # once for a manifest: its other files have nothing to add
