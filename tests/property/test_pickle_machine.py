"""The pickle machine against CPython's `pickletools` and `pickle`: every opcode, every protocol, generated data."""

import pickle
import pickletools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_model.blob import Blob
from gitops_model.readers.pickling.containers import OPCODES
from gitops_model.readers.pickling.machine import LARGE, Bytes, Machine, Pairs

REFUSED = {"EXT1", "EXT2", "EXT4"}
"""Numbers of a registry that only the loading program has: what they would import is not in the stream."""

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.tuples(inner),
        st.tuples(inner, inner, inner, inner),
        st.dictionaries(SCALARS, inner, max_size=5),
    ),
    max_leaves=30,
)
PROTOCOLS = st.integers(0, pickle.HIGHEST_PROTOCOL)


def plain(thing: Any) -> Any:
    """The described object as the object it describes."""
    if isinstance(thing, Pairs):
        return {plain(key): plain(value) for key, value in thing.pairs}
    if isinstance(thing, list):
        return [plain(item) for item in thing]
    if isinstance(thing, tuple):
        return tuple(plain(item) for item in thing)
    return thing


def machine(content: bytes) -> Machine:
    return Machine(Blob.of_bytes("m", content))


def test_every_opcode_of_the_language_is_known_or_refused_on_purpose() -> None:
    known = {bytes([byte]) for byte, handler in enumerate(OPCODES) if handler is not None}
    language = {op.code.encode("latin-1"): op.name for op in pickletools.opcodes}
    assert known <= set(language)
    assert {language[code] for code in set(language) - known} <= REFUSED


@given(DATA, PROTOCOLS)
def test_the_description_of_data_is_the_data(data: Any, protocol: int) -> None:
    content = pickle.dumps(data, protocol)
    found = plain(machine(content).run())
    assert found == data
    assert repr(found) == repr(data), "also -0.0, and True against 1"


@given(DATA, PROTOCOLS)
def test_steps_and_end_are_those_of_pickletools(data: Any, protocol: int) -> None:
    content = pickle.dumps(data, protocol)
    ran = machine(content + b"what follows")
    ran.run()
    assert ran.steps == len(list(pickletools.genops(content)))
    assert ran.offset == len(content)


@given(st.lists(DATA, min_size=1, max_size=4), PROTOCOLS)
def test_streams_one_after_another(things: list[Any], protocol: int) -> None:
    ran = machine(b"".join(pickle.dumps(thing, protocol) for thing in things))
    assert [plain(ran.run()) for _ in things] == things


@given(DATA, PROTOCOLS)
def test_optimised_streams_mean_the_same(data: Any, protocol: int) -> None:
    assert plain(machine(pickletools.optimize(pickle.dumps(data, protocol))).run()) == data


@given(st.integers(LARGE + 1, 4 * LARGE), st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_long_bytes_stay_in_the_file(length: int, protocol: int) -> None:
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    content = pickle.dumps([data], protocol)
    (found,) = machine(content).run()
    assert isinstance(found, Bytes)
    assert content[found.offset : found.offset + found.length] == data


CALLED = [complex(1, 2), range(3), slice(1, 2), {1, 2}, frozenset((3,)), bytearray(b"x"), Exception("x")]


@given(st.sampled_from(CALLED), PROTOCOLS)
def test_every_global_that_pickletools_sees_is_noted(thing: Any, protocol: int) -> None:
    content = pickle.dumps(thing, protocol)
    ran = machine(content)
    ran.run()
    named = [op for op, _, _ in pickletools.genops(content) if op.name in {"GLOBAL", "STACK_GLOBAL", "INST"}]
    assert len(ran.globals) == len(named)
    calls = {"REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ"}
    assert len(ran.calls) == sum(op.name in calls for op, _, _ in pickletools.genops(content))
