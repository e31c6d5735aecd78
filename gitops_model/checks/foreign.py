"""The name promises one format and the bytes are another thing: a web page, an archive, a pickle, plain text.

Why: a failed download saves the error page under the model's name; an exporter is called with the wrong ending.
Loaders then fail far from the cause, or unpickle what was meant to be data.

Example:

    model.onnx: error GM004 this is an HTML page, not ONNX

Fix: fetch the real file, or give it the ending of what it is. A pickle where none belongs is GM604 as well.
"""

from collections.abc import Iterator

from gitops_model.checks.facts import Facts
from gitops_model.checks.reported import reported
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM004", "not-what-it-says", Severity.ERROR, "the file is something else than its name says")


def check(facts: Facts) -> Iterator[Finding]:
    yield from reported(RULE, facts)
