"""The known name that a misspelt one most resembles, for findings and for errors of the configuration."""

from collections.abc import Iterable

LONGEST = 40
"""Characters; a longer word is no misspelling of any name of ours, and comparing it would cost its square."""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name at the smallest edit distance, if at most a third of its letters differ; the first one of several."""
    if len(word) > LONGEST:
        return None
    best: tuple[int, str] | None = None
    for name in names:
        reach = max(1, min(len(word), len(name)) // 3)
        if best is not None:
            reach = min(reach, best[0] - 1)
        if abs(len(word) - len(name)) > reach:
            continue
        apart = distance(word.lower().replace("-", "_"), name.lower().replace("-", "_"))
        if apart <= reach:
            best = apart, name
    return best[1] if best else None


def distance(left: str, right: str) -> int:
    """Edits between two words: insert, delete, replace, or swap two neighbours (Damerau, restricted)."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        here = [row]
        for column, other in enumerate(right, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        before, above = above, here
    return above[-1]
