"""One prefix that nearly all names got, lost or changed: `module.` of a wrapper, `_orig_mod.` of a compiler, `a/` of
`onnx.compose.add_prefix`.

A prefix is made of whole components (split at `.` and `/`), or it is any text, which compose puts before a name; in
subgraphs, whose tensors are called `NODE.ATTR/NAME`, compose puts it before each of the parts.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

NEARLY_ALL = 0.9
"""Share of the names of the side that has fewer."""
DEEPEST = 8
"""Components of a prefix."""
SAMPLE = 256
"""Names on which a prefix is tried before all are."""

LEVEL = re.compile(r"\.(?:then_branch|else_branch|body)/")
"""Where a name goes down into a subgraph: the attributes of If, Loop and Scan."""


class Prefix(NamedTuple):
    """`tensors` of both sides have the same name but for `before`, which became `after`; one of them may be empty.

    `nested`: in names of subgraphs it stands at each level.
    """

    before: str
    after: str
    tensors: int = 0
    nested: bool = False

    def renamed(self, name: str) -> str:
        """What a tensor is called after, if it is one that follows the prefix; else its name."""
        if not self.nested:
            return self.after + name[len(self.before) :] if name.startswith(self.before) else name
        parts: list[str] = []
        at = 0
        for level in LEVEL.finditer(name):
            parts.append(name[at : level.end()])
            at = level.end()
        parts.append(name[at:])
        if not all(part.startswith(self.before) for part in parts):
            return name
        return "".join(self.after + part[len(self.before) :] for part in parts)

    @property
    def back(self) -> "Prefix":
        """The same from the other side."""
        return self._replace(before=self.after, after=self.before)

    @property
    def is_whole(self) -> bool:
        """Whether it ends where a component does."""
        return all(text[-1:] in ("", ".", "/") for text in (self.before, self.after))

    @property
    def rank(self) -> tuple[bool, int]:
        """Of two that explain the same, whole components first, then the shorter one."""
        return self.is_whole, -len(self.before) - len(self.after)

    @property
    def sentence(self) -> str:
        tensors = "1 tensor" if self.tensors == 1 else f"{self.tensors:,} tensors"
        if not self.before:
            return f'{tensors} got the prefix "{self.after}"'
        if not self.after:
            return f'{tensors} lost the prefix "{self.before}"'
        return f'{tensors} got the prefix "{self.after}" instead of "{self.before}"'


Looks = Mapping[str, Hashable]
"""Names and what is called so: type and shape, say."""


def find(before: Looks, after: Looks) -> Prefix | None:
    """The prefix in which nearly all names differ; None where there is none, or most names are the same."""
    fewest = min(len(before), len(after))
    same = sum(name in after for name in before)
    if not fewest or same * 2 >= fewest:
        return None
    best = max(tried(before, after), key=lambda found: (found[0], *found[1].rank), default=None)
    if best is None:
        return None
    prefix = best[1]
    pairs = [(name, prefix.renamed(name)) for name in before if prefix.renamed(name) != name]
    pairs = [pair for pair in pairs if pair[1] in after]
    alike = sum(before[old] == after[new] for old, new in pairs)
    enough = 0.5 if prefix.is_whole else NEARLY_ALL  # of any text there is more that fits by chance
    if len(pairs) < NEARLY_ALL * fewest or alike < enough * len(pairs) or same >= len(pairs):
        return None
    if len(pairs) < 2 and (prefix.before and prefix.after):
        return None  # two names of one tensor have always some such prefix
    return prefix._replace(tensors=len(pairs))


def tried(before: Looks, after: Looks) -> Iterator[tuple[int, Prefix]]:
    """Candidates, each with how many of some names it explains."""
    names = sorted(before), sorted(after)
    swapped = len(before) > len(after)
    fewer = names[1] if swapped else names[0]
    sample = fewer[:: max(1, len(fewer) // SAMPLE)]
    there = before if swapped else after
    is_deep = any(LEVEL.search(name) for name in sample)
    for old, new in candidates(*names):
        for nested in (False, True) if is_deep else (False,):
            prefix = Prefix(old, new, nested=nested)
            way = prefix.back if swapped else prefix
            found = [way.renamed(name) for name in sample]
            count = sum(now != name and now in there for name, now in zip(sample, found, strict=True))
            if count:
                yield count, prefix


def candidates(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    """Of sorted names: a prefix that most of them have is one of the name in the middle."""
    olds, news = ([*components(names[len(names) // 2])] for names in (before, after))
    yield from ((old, new) for old in olds for new in news if old != new)
    old, new = (common(names[len(names) // 10], names[-1 - len(names) // 10]) for names in (before, after))
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    digits = any(text[-1:].isdigit() for text in (old, new))  # numbers that were counted on, rather than a prefix
    if old != new and not digits:
        yield old, new


def common(one: str, other: str) -> str:
    """The beginning that two texts share."""
    length = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:length]


def components(name: str) -> Iterator[str]:
    """`""`, `a.`, `a.b/` of `a.b/c`."""
    yield ""
    for number, found in enumerate(re.finditer(r"[./]", name)):
        if number == DEEPEST:
            return
        yield name[: found.end()]
