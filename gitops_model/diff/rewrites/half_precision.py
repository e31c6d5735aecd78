"""Half precision

float16 and bfloat16 in the place of float32: stored constants that are the same numbers with fewer bits, and casts
between the types of floats, which count as nothing. The outputs differ by that rounding, so the models are not
equivalent; that nothing else changed is what is said.
"""

from typing import TYPE_CHECKING

from gitops_model.diff.proof.infer import ELEMENT

if TYPE_CHECKING:
    from gitops_model.diff.proof.build import Builder
    from gitops_model.diff.proof.call import Call
    from gitops_model.diff.rewrites import Rules

PATTERN = "fp16"
NUMERIC = "lossy"

FLOATS = ("float16", "bfloat16", "float32", "float64")


def cast(b: "Builder", call: "Call") -> tuple[int, ...] | None:
    to = ELEMENT.get(call.attrs["to"])
    if to not in FLOATS or b.table.dtype[call.arg(0)] not in ("", *FLOATS):
        return None
    if to in ("float16", "bfloat16"):
        b.note("fp16" if to == "float16" else "bf16")
    return (call.arg(0),)


RULES: "Rules" = {("ai.onnx", "Cast"): (cast,)}
