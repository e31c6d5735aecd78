"""`Dropout` in inference

Outside training a Dropout gives back its input. From opset 12 on it drops only when its third input says so; a model in
which that input is missing or the constant false never does. Rewritten only when nothing uses the mask.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.table import NONE

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "dropout"
NUMERIC = "exact"


def dropout(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    from gitops_model.diff.proof.build import Unprovable

    training = call.arg(2)
    if (call.version < 7 and not call.attrs.get("is_test")) or (training != NONE and b.ints(training) != (0,)):
        raise Unprovable("Dropout draws random numbers")
    b.note(PATTERN)
    if call.outputs == 1:
        return (call.arg(0),)
    mask = b.table.make("dropout-mask", (call.arg(0),), (call.version >= 10,))  # of bools since then
    return call.arg(0), b.table.typed(mask, "bool" if call.version >= 10 else "", b.table.shape[call.arg(0)])


RULES: "Rules" = {("ai.onnx", "Dropout"): (dropout,)}
