"""Chat templates are Jinja programs that run where the model is served: GM607.

Every template is told of as a note; one that reaches for Python's internals is an error, since a server that does not
sandbox it would run what it says.
"""

import re

from gitops_model.errors import Problem

REACHING = re.compile(
    r"__\w+__|\|\s*attr\s*\(|\b(?:lipsum|cycler|joiner|self|request|config)\s*(?:\.|\[)|\b(?:import|include|extends)\b\s*['\"(]"
    r"|\bpopen\b|\bsubprocess\b|\bos\s*\.|\beval\b|\bexec\b|\bopen\s*\("
)
"""How sandbox escapes of Jinja begin; chat templates need none of it."""


def template_problem(key: str, text: str) -> Problem:
    found = REACHING.search(text)
    if found is not None:
        return Problem(
            "GM607",
            f"the template in {key!r} reaches outside what a chat template needs: {found.group()!r}",
            found=found.group(),
            hint="read the template before you serve the model",
        )
    return Problem("GM607", f"{key!r} holds a template of {len(text)} characters, which is code that a server runs")
