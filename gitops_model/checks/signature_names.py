"""The manifest declares an input or output that the model does not have, or leaves one out. The nearest name is
given.

Why: clients call a model by these names.

Example:

    model.yaml:9:3: error GM301 model.onnx has no input 'imput' (did you mean 'input'?)

Fix: change the manifest; `gitops-model show FILE` prints the real names.
"""

from collections.abc import Iterator

from gitops_model.checks import command, finding
from gitops_model.checks.facts import Facts
from gitops_model.checks.signature import Side, sides
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity
from gitops_model.nearest import nearest

RULE = Rule("GM301", "signature-names", Severity.ERROR, "declared and real inputs or outputs have different names")


def check(facts: Facts) -> Iterator[Finding]:
    for side in sides(facts):
        for problem in _compare(side):
            yield finding(
                RULE,
                facts.path,
                problem._replace(hint=command("gitops-model", "show", facts.here.path(side.file.path))),
            )


def _compare(side: Side) -> Iterator[Problem]:
    declared = [value.name for value in side.declared]
    real = [value.name for value in side.real]
    extra = [value for value in side.declared if value.name not in set(real)]
    missing = [name for name in real if name not in set(declared)]
    for value in extra:
        close = nearest(value.name, missing)
        if close is not None:
            missing.remove(close)  # one slip, one finding
        message = f"{side.file.listed!r} has no {side.kind} {value.name!r}"
        message += f"; did you mean {close!r}?" if close else ""
        expected = close or ", ".join(real) or f"no {side.kind}"
        yield Problem(RULE.code, message, *value.place, expected=expected, found=value.name)
    for name in missing:
        message = f"the {side.kind} {name!r} of {side.file.listed!r} is not declared"
        yield Problem(RULE.code, message, *side.place, expected=name, found="no declaration")
    if side.kind == "output" and not extra and not missing and declared != real:
        message = f"the outputs of {side.file.listed!r} come in another order"
        yield Problem(RULE.code, message, *side.place, expected=", ".join(real), found=", ".join(declared))
