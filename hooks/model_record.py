"""`model-record`: the weights of the staged model files are hashed, and the digests kept in git notes."""

from .program import program, started_by_hand


def run(words: list[str]) -> int:
    """`words` are the files, as the framework passes them; without any there is nothing to do."""
    if not words:
        return 0
    which = () if started_by_hand() else ("--staged",)
    return program("record", *which, "--", *words)
