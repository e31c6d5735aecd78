"""What was met while a graph became expressions: nodes that rules recognised, and where constants are stored."""

from collections import Counter
from collections.abc import Mapping

from gitops_model.ir import Span, Tensor


def is_outside(tensor: Tensor) -> bool:
    """Whether the bytes are in a file of their own."""
    return isinstance(tensor.data, Span) and bool(tensor.data.file)


class Stored:
    """How often one content is stored: in Constant nodes, and (of all places) in files of its own."""

    __slots__ = ("nodes", "outside", "times")

    def __init__(self) -> None:
        self.times = self.nodes = self.outside = 0


class Tally:
    """`found`: pattern → the nodes that a rule recognised, each by its number with its operation.

    `stored`: what is stored, by the constant's expression, which both models share.
    """

    def __init__(self, opset: Mapping[str, int]) -> None:
        self.opset = opset
        self.found: dict[str, dict[int, str]] = {}
        self.stored: dict[int, Stored] = {}
        self._node = 0
        self._op = ""
        self.muted = False
        """Nothing is noted meanwhile: what is looked at is never run."""

    def at(self, op: str) -> None:
        """A node is looked at: what is noted from here on is said of it."""
        self._node += 1
        self._op = op

    def note(self, pattern: str) -> None:
        if self.muted:
            return
        self.found.setdefault(pattern, {})[self._node] = self._op

    def only(self, pattern: str, *but: str) -> None:
        """The node is this and nothing else, unless it is one of `but`."""
        if any(self._node in self.found.get(other, {}) for other in but):
            return
        for nodes in self.found.values():
            nodes.pop(self._node, None)
        self.note(pattern)

    def store(self, number: int, tensor: Tensor, *, node: bool) -> None:
        if self.muted:
            return
        place = self.stored.setdefault(number, Stored())
        place.times += 1
        place.nodes += node
        place.outside += is_outside(tensor)


def surplus(one: Tally, other: Tally, pattern: str) -> int:
    """The nodes that a rule recognised on one side and that the other has none of the same operation for."""
    before, after = (Counter(tally.found.get(pattern, {}).values()) for tally in (one, other))
    return max((before - after).total(), (after - before).total())


def moved(one: Tally, other: Tally, place: str) -> int:
    """The constants that are at a `place` ("nodes" or "outside") on one side, and elsewhere on the other."""
    number = 0
    for content, was in one.stored.items():
        now = other.stored.get(content)
        if now is None:
            continue
        gone = getattr(was, place) - getattr(now, place)
        elsewhere = (now.times - getattr(now, place)) - (was.times - getattr(was, place))
        number += max(0, min(gone, elsewhere), min(-gone, -elsewhere))
    return number
