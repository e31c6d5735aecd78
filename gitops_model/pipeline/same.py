"""Compare the weights of files, whatever their formats."""

from collections.abc import Mapping, Sequence

from gitops_model.diff.same import compare
from gitops_model.pipeline.load import describe, open_named
from gitops_model.render.same import Compared


def same(words: Sequence[str], cwd: str, environ: Mapping[str, str], tolerance: float) -> list[Compared]:
    """The first file against each of the others."""
    first, *others = words
    found: list[Compared] = []
    with open_named(first, cwd, environ) as opened:
        before = describe(opened)
        for word in others:
            with open_named(word, cwd, environ) as other:
                after = describe(other)
                found.append(
                    Compared(first, word, before.model.format, after.model.format, compare(before, after, tolerance))
                )
                if after.data is not None:
                    after.data.close()
        if before.data is not None:
            before.data.close()
    return found
