"""Long texts among the metadata (chat templates, tokenizers, class names), compared line by line.

Lines that are too long to be read are broken behind blanks, commas and brackets first: a template is often one line.
The shortest script of edits is looked for (Myers' greedy algorithm, O((N + M) D)), with bounds on lines and edits;
beyond them a text is told of by its size and its first difference.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias
from zlib import crc32

from gitops_model.diff.facts import Fact
from gitops_model.diff.result import TextDiff

LONG = 200
"""Characters from which a text is compared by lines; so is any of several lines."""
MOST_TEXTS = 20
MOST_CHARACTERS = 200_000
MOST_COMPARED, MOST_EDITS = 5000, 500
"""Lines that differ at the beginning and at the end of a text, and edits between them, that are compared."""
MOST_LINES = 200
"""Lines of the result."""
CONTEXT = 3
BREAK, TEMPLATE, LONGEST = 40, 120, 200
"""Characters from which a long line is broken, and one of a template, which has its own ends; and up to which it is
none."""
EXCERPT = 80

Block: TypeAlias = tuple[int, int, int]
"""(place before, place after, number) of lines that are the same."""


def diff(changes: Mapping[str, tuple[Fact, Fact]]) -> dict[str, TextDiff]:
    """Of the values that changed, the first that are long texts on one side at least, by key."""
    long = {key: sides for key, sides in changes.items() if any(is_long(side) for side in sides)}
    return {key: compared(_text(was), _text(now)) for key, (was, now) in list(long.items())[:MOST_TEXTS]}


def is_long(value: Fact) -> bool:
    return isinstance(value, str) and (len(value) > LONG or "\n" in value)


def _text(value: Fact) -> str:
    return "" if value is None else str(value)


def compared(was: str, now: str) -> TextDiff:
    if max(len(was), len(now)) > MOST_CHARACTERS:
        return summary(was, now)
    old, new = lines_of(was), lines_of(now)
    table: dict[str, int] = {}
    a, b = ([table.setdefault(line, len(table)) for line in lines] for lines in (old, new))
    start = alike(a, b)
    end = min(alike(a[::-1], b[::-1]), len(a) - start, len(b) - start)
    middle = (a[start : len(a) - end], b[start : len(b) - end])
    found = same(*middle)
    blocks = [(0, 0, start), *((x + start, y + start, n) for x, y, n in found or ()), (len(a) - end, len(b) - end, end)]
    kept = sum(number for _, _, number in blocks)
    lines = list(chain.from_iterable(hunks(old, new, blocks)))
    note = "too different to be compared line by line" if found is None else ""
    left = max(len(lines) - MOST_LINES, 0)
    return TextDiff(tuple(lines[:MOST_LINES]), len(b) - kept, len(a) - kept, left, note)


def alike(one: Sequence[object], other: Sequence[object]) -> int:
    """How many items both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def summary(was: str, now: str) -> TextDiff:
    """The first difference of texts that are too long to be compared."""
    at = alike(was, now)
    begin = max(at - EXCERPT // 2, 0)
    dots = "…" if begin else ""
    lines = tuple(f"{sign}{dots}{text[begin : at + EXCERPT]}" for sign, text in (("-", was), ("+", now)))
    return TextDiff(lines, 0, 0, 0, f"too long to be compared; the first difference is at character {at:,}")


def lines_of(text: str) -> list[str]:
    if not text:
        return []
    found: list[str] = []
    for line in text.split("\n"):
        if len(line) <= LONGEST:
            found.append(line)
        else:
            found += broken(line)
    return found


def broken(line: str) -> Iterator[str]:
    """Pieces that make the line. Where to break depends on what stands there, so that behind a change equal texts soon
    break alike: a sum of the last word decides."""
    held, least = "", TEMPLATE if "{%" in line else BREAK
    for piece in re.findall(rf"[^\s,;>}}\])]{{0,{LONGEST}}}(?:}}}}|[\s,;>}}\])])?", line):
        held += piece
        chosen = len(held) >= least and crc32(piece.encode("utf-8", "surrogatepass")) % 3 == 0
        if chosen or len(held) >= LONGEST or held.endswith(("%}", "}}")):
            yield held
            held = ""
    if held:
        yield held


def same(a: list[int], b: list[int]) -> list[Block] | None:
    """The lines that a shortest script of edits keeps, as blocks; None beyond the bounds."""
    if len(a) + len(b) > 2 * MOST_COMPARED:
        return None
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(MOST_EDITS + 1):
        trace.append({})
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            y = x - diagonal
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            reach[diagonal] = trace[-1][diagonal] = x
            if x >= len(a) and y >= len(b):
                return walk_back(trace, len(a), len(b))
    return None


def walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[Block]:
    blocks: list[Block] = []
    for edits in range(len(trace) - 1, -1, -1):
        diagonal = x - y
        before = trace[edits - 1] if edits else {}
        if not edits:
            from_x = from_y = 0
        elif diagonal == -edits or (diagonal != edits and before[diagonal - 1] < before[diagonal + 1]):
            from_x = before[diagonal + 1]
            from_y = from_x - diagonal - 1
        else:
            from_x = before[diagonal - 1]
            from_y = from_x - diagonal + 1
        begun = from_x if not edits else max(from_x, from_y + diagonal)
        if x > begun:
            blocks.append((begun, begun - diagonal, x - begun))
        x, y = from_x, from_y
    return blocks[::-1]


def hunks(old: list[str], new: list[str], blocks: list[Block]) -> Iterator[list[str]]:
    """What lies between the blocks, as in a unified diff, with lines of context; near ones in one hunk."""
    hunk: list[str] = []
    begin = (0, 0)
    size = [0, 0]
    was_at = now_at = 0
    for number, (x, y, length) in enumerate(blocks):
        gone, came = old[was_at:x], new[now_at:y]
        hunk += [f"-{line}" for line in gone] + [f"+{line}" for line in came]
        size = [size[0] + len(gone), size[1] + len(came)]
        was_at, now_at = x + length, y + length
        last = number == len(blocks) - 1
        changed = any(line[0] != " " for line in hunk)
        if changed and not last and length <= 2 * CONTEXT:
            hunk += [f" {line}" for line in old[x : x + length]]
            size = [size[0] + length, size[1] + length]
            continue
        if changed:
            after = old[x : x + min(length, CONTEXT)]
            sizes = (size[0] + len(after), size[1] + len(after))
            head = " ".join(f"{sign}{at + (n > 0)},{n}" for sign, at, n in zip("-+", begin, sizes, strict=True))
            yield [f"@@ {head} @@", *hunk, *(f" {line}" for line in after)]
        around = min(length, CONTEXT)
        hunk = [f" {line}" for line in old[x + length - around : x + length]]
        begin, size = (x + length - around, y + length - around), [around, around]
