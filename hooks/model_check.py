"""`model-check`: the staged model files can be read, are what their names say, and neither reach out nor execute.

It looks at model files by themselves (GM0, GM6, and GM116: a symbolic link is no model); what a manifest says about
them is `model-manifest`'s business.
"""

from .program import program, started_by_hand

RULES = "GM0,GM6,GM116"


def run(words: list[str]) -> int:
    """`words` are the files, as the framework passes them; without any there is nothing to do."""
    if not words:
        return 0
    which = () if started_by_hand() else ("--staged",)
    return program("check", *which, "--select", RULES, "--", *words)
