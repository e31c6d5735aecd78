"""Merging notes is set union: any order, any grouping, any repetition gives the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from gitops_model.git.notes import canonical, join, split

names = st.text(st.characters(), max_size=8)
lines = st.builds(
    lambda name, value: canonical({"v": 1, "kind": "fingerprint", "name": name, "value": value}),
    names,
    st.integers() | names | st.lists(names, max_size=2),
)
foreign = st.binary(min_size=1, max_size=12).filter(lambda raw: b"\n" not in raw and raw.strip() != b"")
notes = st.lists(lines | foreign.map(lambda raw: raw.decode("utf-8", "surrogateescape")), max_size=6).map(join)


def merge(*some: bytes) -> bytes:
    return join(set().union(*(split(note) for note in some)))


@given(notes, notes, notes)
def test_union_is_commutative_associative_and_idempotent(a: bytes, b: bytes, c: bytes) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a
    assert merge(a) == a


@given(notes, notes)
def test_union_loses_nothing(a: bytes, b: bytes) -> None:
    assert split(merge(a, b)) == split(a) | split(b)
