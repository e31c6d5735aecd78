"""The signature digest: names, types and dimensions count, the names of symbols do not."""

import pytest

from gitops_model.fingerprint import signature_digest
from gitops_model.ir import Dim, Graph, Inline, Model, OtherType, Tensor, TensorType, Value


def value(name: str, *dims: Dim, dtype: str = "float32") -> Value:
    return Value(name, TensorType(dtype, dims))


def other(name: str, text: str) -> Value:
    return Value(name, OtherType(text))


def signature(inputs: tuple[Value, ...], outputs: tuple[Value, ...] = ()) -> str:
    digest = signature_digest(Model("test", (), inputs=inputs, outputs=outputs))
    assert digest is not None
    return digest


EQUAL = {
    "a symbol's name": ((value("x", "N", 3),), (value("x", "batch", 3),)),
    "the names of two symbols": ((value("x", "a", "b", "a"),), (value("x", "p", "q", "p"),)),
    "a symbol inside a sequence": (
        (value("x", "N"), other("s", "sequence(tensor(float32,[N,3]))")),
        (value("x", "M"), other("s", "sequence(tensor(float32,[M,3]))")),
    ),
}

DIFFERENT = {
    "the name": ((value("x", 1),), (value("z", 1),)),
    "the dtype": ((value("x", 1),), (value("x", 1, dtype="float16"),)),
    "a dimension": ((value("x", 1),), (value("x", 2),)),
    "a symbol and a number": ((value("x", "N"),), (value("x", 1),)),
    "a symbol and the unknown": ((value("x", "N"),), (value("x", None),)),
    "a symbol of digits and a number": ((value("x", "1"),), (value("x", 1),)),
    "the rank": ((value("x", 1),), (value("x", 1, 1),)),
    "a scalar and an unknown rank": ((value("x"),), (Value("x", TensorType("float32", None)),)),
    "an unknown rank and nothing said": ((Value("x", TensorType("float32", None)),), (Value("x", None),)),
    "one symbol twice and two": ((value("x", "a", "a"),), (value("x", "a", "b"),)),
    "the order": ((value("x", 1), value("y", 1)), (value("y", 1), value("x", 1))),
    "how many": ((value("x", 1),), (value("x", 1), value("y", 1))),
    "a sequence's element": (
        (other("s", "sequence(tensor(float32,[N]))"),),
        (other("s", "sequence(tensor(float16,[N]))"),),
    ),
    "a sequence's symbol and a number": (
        (other("s", "sequence(tensor(float32,[N]))"),),
        (other("s", "sequence(tensor(float32,[1]))"),),
    ),
    "one symbol in a tensor and a sequence, and two": (
        (value("x", "N"), other("s", "sequence(tensor(float32,[N]))")),
        (value("x", "N"), other("s", "sequence(tensor(float32,[M]))")),
    ),
    "a list of integers and of floats": ((other("s", "List[int]"),), (other("s", "List[float]"),)),
}


@pytest.mark.parametrize("a, b", EQUAL.values(), ids=EQUAL)
def test_the_signature_is_blind_to(a: tuple[Value, ...], b: tuple[Value, ...]) -> None:
    assert signature(a) == signature(b)
    assert signature((), a) == signature((), b)


@pytest.mark.parametrize("a, b", DIFFERENT.values(), ids=DIFFERENT)
def test_the_signature_tells_apart(a: tuple[Value, ...], b: tuple[Value, ...]) -> None:
    assert signature(a) != signature(b)
    assert signature((), a) != signature((), b)


def test_an_input_is_no_output() -> None:
    assert signature((value("x", 1),)) != signature((), (value("x", 1),))


def test_one_symbol_in_an_input_and_an_output_is_told_from_two() -> None:
    assert signature((value("x", "N"),), (value("y", "N"),)) != signature((value("x", "N"),), (value("y", "M"),))


def test_an_initializer_that_is_listed_as_an_input_is_none() -> None:
    w = Tensor("w", "float32", (1,), Inline(bytes(4)), 4)
    graph = Graph("g", (value("x", 1), value("w", 1)), (), (), {"w": w})
    listed = Model("test", (w,), inputs=(value("x", 1), value("w", 1)), outputs=(), graph=graph)
    assert signature_digest(listed) == signature((value("x", 1),))


def test_a_format_without_a_signature_has_no_digest() -> None:
    assert signature_digest(Model("test", ())) is None
