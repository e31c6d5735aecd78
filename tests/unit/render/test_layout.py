"""Where drawn boxes stand: never on each other, what feeds above what is fed, whatever the graph."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gitops_model.render.diff.layout import GAP, Drawn, layout, order, spread

graphs = st.integers(1, 14).flatmap(
    lambda count: st.tuples(
        st.lists(st.tuples(st.floats(20, 200), st.floats(15, 60)), min_size=count, max_size=count),
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda edge: edge[0] != edge[1]),
            max_size=30,
            unique=True,
        ),
    )
)


def apart(drawn: Drawn, sizes: list[tuple[float, float]]) -> bool:
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(drawn.corners, sizes, strict=True)]
    return all(
        one[2] <= other[0] + 1e-6 or other[2] <= one[0] + 1e-6 or one[3] <= other[1] or other[3] <= one[1]
        for one, other in combinations(boxes, 2)
    )


@given(graphs)
def test_any_graph(case: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    sizes, edges = case
    drawn = layout(sizes, edges)
    assert apart(drawn, sizes)
    assert drawn == layout(sizes, edges)
    place = order(len(sizes), edges)
    assert sorted(place) == list(range(len(sizes)))
    for (source, target), path in zip(edges, drawn.paths, strict=True):
        ends = ((source, path[0]), (target, path[-1]))
        for box, (x, _) in ends:
            assert abs(x - (drawn.corners[box][0] + sizes[box][0] / 2)) < 1e-6
        falls = drawn.corners[source][1] < drawn.corners[target][1]
        assert falls == (place[source] < place[target])
        assert [y for _, y in path] == sorted((y for _, y in path), reverse=not falls)
    for (x, y), (width, height) in zip(drawn.corners, sizes, strict=True):
        assert -1e-6 <= x <= drawn.width - width + 1e-6
        assert 0 <= y <= drawn.height - height + 1e-6


def test_a_chain_is_straight() -> None:
    drawn = layout([(50.0, 20.0)] * 6, [(number, number + 1) for number in range(5)])
    assert len({round(x, 3) for x, _ in drawn.corners}) == 1


def test_a_ring_is_drawn() -> None:
    drawn = layout([(50.0, 20.0)] * 3, [(0, 1), (1, 2), (2, 0)])
    assert [y for _, y in drawn.corners] == sorted(y for _, y in drawn.corners)
    assert drawn.paths[2][0][1] > drawn.paths[2][-1][1]


def test_nothing_to_draw() -> None:
    assert layout([], []) == Drawn([], [], 0.0, 0.0)


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(10, 100)), min_size=1, max_size=20))
def test_spread_keeps_order_and_gap(row: list[tuple[float, float]]) -> None:
    wanted, widths = [want for want, _ in row], [width for _, width in row]
    found = spread(wanted, widths)
    for place in range(1, len(row)):
        assert found[place] - found[place - 1] >= (widths[place] + widths[place - 1]) / 2 + GAP - 1e-6
