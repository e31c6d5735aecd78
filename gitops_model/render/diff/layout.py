"""Where boxes of a drawn graph stand: in rows from what feeds to what is fed, with few crossings; plain geometry.

The usual four steps of a layered drawing: rows by longest path, long edges through invisible points in the rows
between, order in a row by the mean of the neighbours, places by least squares. Lengths are in pixels.
"""

from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple, TypeAlias

GAP, ROW_GAP, THREAD = 22.0, 34.0, 8.0
"""Between boxes of a row, between rows, and the room that an edge takes in a row that it passes."""
SWEEPS, SETTLING = 8, 24
"""How often rows are sorted, and then boxes moved between their neighbours."""

Point: TypeAlias = tuple[float, float]


class Drawn(NamedTuple):
    """`corners` are the upper left ones of the boxes; `paths` the points of each edge, its source first."""

    corners: list[Point]
    paths: list[list[Point]]
    width: float
    height: float


def layout(sizes: list[Point], edges: list[tuple[int, int]]) -> Drawn:
    """`sizes` are width and height of the boxes; an edge (s, t) leads from box s to another box t.

    Cycles are drawn: the edge that closes one leads upwards.
    """
    place = order(len(sizes), edges)
    down = [(s, t) if place[s] < place[t] else (t, s) for s, t in edges]
    rank = ranks(place, down)
    sizes, rank = list(sizes), list(rank)
    chains: list[list[int]] = []
    links: list[tuple[int, int]] = []
    for source, target in down:
        chain = [source]
        for row in range(rank[source] + 1, rank[target]):
            chain.append(len(sizes))
            sizes.append((THREAD, 0.0))
            rank.append(row)
        chain.append(target)
        chains.append(chain)
        links += pairwise(chain)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for box in sorted(range(len(sizes)), key=lambda box: place[box] if box < len(place) else len(place)):
        rows[rank[box]].append(box)
    above, below = neighbours(len(sizes), links)
    arrange(rows, above, below)
    centres = across(rows, sizes, above, below)
    tops, height = heights(rows, sizes)
    left = min((centres[box] - sizes[box][0] / 2 for box in range(len(sizes))), default=0.0)
    right = max((centres[box] + sizes[box][0] / 2 for box in range(len(sizes))), default=0.0)
    middle = [centre - left for centre in centres]
    paths: list[list[Point]] = []
    for chain, pair, edge in zip(chains, down, edges, strict=True):
        points: list[Point] = []
        for box in chain:
            top, tall = tops[rank[box]]
            if box != chain[0]:
                points.append((middle[box], top))
            if box != chain[-1]:
                points.append((middle[box], top + (sizes[box][1] if box == chain[0] else tall)))
        paths.append(points if pair == edge else points[::-1])
    corners = [(middle[box] - sizes[box][0] / 2, tops[rank[box]][0]) for box in range(len(place))]
    return Drawn(corners, paths, right - left, height)


def order(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The place of each box in an order in which what feeds comes first; in a cycle the lowest number does."""
    above, below = neighbours(count, edges)
    waiting = [len(feeding) for feeding in above]
    ready = deque(box for box in range(count) if not waiting[box])
    place = [-1] * count
    done, lowest = 0, 0
    while done < count:
        while lowest < count and place[lowest] >= 0:
            lowest += 1
        box = ready.popleft() if ready else lowest
        if place[box] >= 0:
            continue
        place[box] = done
        done += 1
        for other in below[box]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return place


def ranks(place: list[int], down: list[tuple[int, int]]) -> list[int]:
    """The row of each box: one below the lowest that feeds it; what nothing feeds stands just above what it feeds."""
    rank = [0] * len(place)
    above, below = neighbours(len(place), down)
    ordered = sorted(range(len(place)), key=lambda box: place[box])
    for box in ordered:
        rank[box] = max((rank[other] + 1 for other in above[box]), default=0)
    for box in ordered:
        if not above[box] and below[box]:
            rank[box] = min(rank[other] for other in below[box]) - 1
    return rank


def neighbours(count: int, links: Iterable[tuple[int, int]]) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in links:
        above[target].append(source)
        below[source].append(target)
    return above, below


def arrange(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Sort each row by the mean place of the neighbours in the row before it, downwards and upwards in turn."""
    at: dict[int, float] = {box: place for row in rows for place, box in enumerate(row)}
    for sweep in range(SWEEPS):
        near = below if sweep % 2 else above
        for row in reversed(rows) if sweep % 2 else rows:
            mean = {box: sum(at[o] for o in near[box]) / len(near[box]) if near[box] else at[box] for box in row}
            row.sort(key=lambda box: mean[box])
            at.update({box: place for place, box in enumerate(row)})


def across(rows: list[list[int]], sizes: list[Point], above: list[list[int]], below: list[list[int]]) -> list[float]:
    """The middle of each box: near the mean of its neighbours, in the order of its row, without overlap."""
    centre = [0.0] * len(sizes)
    for sweep in range(SETTLING):
        upwards = sweep % 2 == 1
        for row in reversed(rows) if upwards else rows:
            wanted: list[float] = []
            for box in row:
                near = above[box] + below[box] if sweep > 1 else below[box] if upwards else above[box]
                wanted.append(sum(centre[other] for other in near) / len(near) if near else centre[box])
            for box, found in zip(row, spread(wanted, [sizes[box][0] for box in row]), strict=True):
                centre[box] = found
    return centre


def spread(wanted: list[float], widths: list[float]) -> list[float]:
    """The centres nearest to `wanted` (least squares) that keep the order and a gap: pool adjacent violators."""
    offsets: list[float] = []
    for place, width in enumerate(widths):
        offsets.append(offsets[-1] + (widths[place - 1] + width) / 2 + GAP if place else 0.0)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    means = [total / count for total, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def heights(rows: list[list[int]], sizes: list[Point]) -> tuple[list[Point], float]:
    """(top, height) of each row, and the height of all."""
    found: list[Point] = []
    top = 0.0
    for row in rows:
        tall = max((sizes[box][1] for box in row), default=0.0)
        found.append((top, tall))
        top += tall + ROW_GAP
    return found, max(top - ROW_GAP, 0.0)
