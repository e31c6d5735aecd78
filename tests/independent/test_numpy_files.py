"""The NumPy reader against NumPy: types, byte orders, memory orders, format versions, stored and deflated archives."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.contents import contents, held

RNG = np.random.default_rng(4)
KINDS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
SHAPES = ((), (1,), (7,), (0,), (3, 0, 2), (4, 5), (2, 3, 4), (1, 2, 3, 2))

Array = np.ndarray[Any, Any]


def array(kind: str, shape: tuple[int, ...] = (4, 5)) -> Array:
    return np.asarray(RNG.random(shape) * 100).astype(kind)


def saved(item: Array) -> bytes:
    out = io.BytesIO()
    np.save(out, item)
    return out.getvalue()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_in_both_byte_orders_and_memory_orders(kind: str, order: str) -> None:
    for shape in SHAPES:
        item = array(order + kind, shape)
        assert contents(saved(item), "a.npy") == {"": held(item)}
        assert contents(saved(np.array(item, order="F")), "a.npy") == {"": held(item)}


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format(version: tuple[int, int]) -> None:
    out = io.BytesIO()
    item = array("f4")
    np.lib.format.write_array(out, item, version)
    assert contents(out.getvalue(), "a.npy") == {"": held(item)}


def big_zip(target: io.BytesIO, items: dict[str, Array]) -> None:
    """Every entry with 64-bit sizes, as NumPy writes streams of unknown length."""
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for name, item in items.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                entry.write(saved(item))


@pytest.mark.parametrize(
    "write",
    [lambda out, items: np.savez(out, **items), lambda out, items: np.savez_compressed(out, **items), big_zip],
    ids=["stored", "deflated", "zip64"],
)
def test_archives(write: Callable[[io.BytesIO, dict[str, Array]], None]) -> None:
    items = {f"layer.{order}{kind}": array(order + kind) for kind in KINDS for order in "<>"}
    items |= {"fortran": np.asfortranarray(array("f4")), "deep/name": array("i2"), "zeros": np.zeros(100_000, "f4")}
    out = io.BytesIO()
    write(out, items)
    assert contents(out.getvalue(), "a.npz") == {name: held(item) for name, item in items.items()}
