"""A language model's file holds a template (Jinja) for its prompts: code that runs where the model is served. A note
says so; it is a warning when the template reaches for attributes or functions that it has no use for.

Why: runtimes that render it without a sandbox execute it.

Example:

    model.gguf: warning GM607 the template in 'tokenizer.chat_template' reaches outside …: '__class__'

Fix: read the template; replace it with the one of the model's publisher, or ignore GM607 for this path.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM607", "template-code", Severity.WARNING, "a chat template does more than format text")


def check(facts: Facts) -> Iterator[Finding]:
    for finding in reported(RULE, facts):
        yield finding if finding.found else finding._replace(severity=Severity.NOTE)
