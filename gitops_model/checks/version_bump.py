"""The models of a manifest changed since the base revision, and its `version` did not move as far as the change asks:
major for what breaks callers (an input gone, an output of another type), minor for what adds to the interface or is not
proved to compute the same, patch for other weights. X.Y.Z are compared; under 0.y.z a minor bump is enough for a
breaking change. `gitops-model diff` shows the change and why.

Major too is an ONNX model whose opset or IR version is newer than the ONNX Runtime loads that a manifest which lists it
declares, before the change or after it: by `runtime.onnxruntime`, or by a file of its `targets` whose `libraries` have
`libonnxruntime.so`. Of a release that the tables do not know, nothing is claimed.

Checked where there is a base: by `review`, and by `check --base REV`.

Example:

    model.yaml:2:10: error GM305 the version moved from 1.2.0 to 1.2.1, and model.onnx changed more than that: input x
    was removed (expected 2.0.0 or above, found 1.2.1)

Fix: `gitops-model bump model.yaml --base REV` writes the version that the change asks for.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM305", "version-bump", Severity.ERROR, "the version moved less than the change of the models asks for")


def check(facts: Facts) -> Iterator[Finding]:
    move = facts.version
    if move is None or move.is_enough:
        return
    place = facts.manifest.where("version") if facts.manifest is not None else None
    how = f"stayed {move.after}" if move.before == move.after else f"moved from {move.before} to {move.after}"
    message = f"the version {how}, and {move.file} changed more than that: {move.reason}"
    problem = Problem(
        RULE.code,
        message,
        *(place or (None, None)),
        expected=f"{move.least} or above",
        found=move.after,
        hint=move.hint,
    )
    yield finding(RULE, facts.path, problem)
