"""A Keras `Lambda` layer stores marshalled Python bytecode; Keras runs it when it rebuilds the model. The layer was
found in the model's description; nothing was executed.

Why: bytecode cannot be reviewed, and does what it wants with the machine that loads the model.

Example:

    model.keras: error GM605 the layer 'lambda' is a Lambda layer with stored bytecode

Fix: replace the layer by a registered class or by an operation (`keras.ops`), and save the model again.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM605", "executable-code", Severity.ERROR, "the model holds code that loading it runs")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
