"""Where the file uses one symbol (`batch` in an input and in an output), the manifest must use one dimension as well.
The names of symbols may differ; exporters renumber them.

Example:

    model.yaml:14:28: error GM304 the symbol 'batch' of model.onnx is declared as 'n' and as 'm'

Fix: use one symbol, or one size, wherever the file uses one.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.checks.signature import Pair, pairs
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity
from gitops_model.ir import Dim, TensorType
from gitops_model.manifest import Place

RULE = Rule("GM304", "symbol-conflict", Severity.ERROR, "one symbol of the model is declared as two different things")


def check(facts: Facts) -> Iterator[Finding]:
    meanings: dict[tuple[str, str], Dim] = {}
    told: set[tuple[str, str, Dim]] = set()
    for pair in pairs(facts):
        for symbol, dim, place in _symbols(pair):
            first = meanings.setdefault((pair.file.path, symbol), dim)
            if first != dim and (pair.file.path, symbol, dim) not in told:
                told.add((pair.file.path, symbol, dim))
                message = f"the symbol {symbol!r} of {pair.file.listed!r} is declared as two different things"
                problem = Problem(RULE.code, message, *place, expected=str(first), found=str(dim))
                yield finding(RULE, facts.path, problem)


def _symbols(pair: Pair) -> Iterator[tuple[str, Dim, Place]]:
    """The symbols of the file, each with what the manifest has in its place."""
    declared, real = pair.declared, pair.real
    if not isinstance(real, TensorType) or declared.shape is None or real.shape is None:
        return
    if len(declared.shape) != len(real.shape):
        return
    for number, (mine, theirs) in enumerate(zip(declared.shape, real.shape, strict=True)):
        if isinstance(theirs, str) and mine is not None:
            place = declared.dims[number] if number < len(declared.dims) else declared.place
            yield theirs, mine, place
