"""bfloat16

As half precision (fp16), with the range of float32 and eight bits of precision.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.diff.rewrites import Rules

PATTERN = "bf16"
NUMERIC = "lossy"

RULES: "Rules" = {}
"""The rule for casts is that of fp16 (half_precision.py)."""
