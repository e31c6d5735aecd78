"""Types are written as NumPy and ml_dtypes write them: `float32`, `int64`, `bool`, `string`, `bfloat16`,
`float8_e4m3fn`, `int4`.

Why: `float` is 32 bits in torch and 64 in NumPy.

Example:

    model.yaml:11:16: error GM107 inputs.x.dtype is not known; did you mean 'float32'?

Fix: use the name in the message. `gitops-model show FILE` prints the types of a model.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM107", "bad-dtype", Severity.ERROR, "an element type that is no NumPy or ml_dtypes name")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
