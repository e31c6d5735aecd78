"""The HDF5 reader against h5py: the pinned files, and a zoo of types, layouts, indexes and filters."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import models
from support.contents import Held, contents, held

RNG = np.random.default_rng(11)


def theirs(file: "Path | io.BytesIO") -> dict[str, Held]:
    """Every numeric dataset under its path without `:0`, as h5py reads it."""
    found: dict[str, Held] = {}

    def visit(name: str, thing: object) -> None:
        if isinstance(thing, h5py.Dataset) and thing.dtype.kind in "biufc" and thing.shape is not None:
            found[name.removesuffix(":0")] = held(thing[()] if thing.shape else np.asarray(thing[()]))

    with h5py.File(file, "r") as opened:
        opened.visititems(visit)
    return found


def made(fill: "Callable[[h5py.File], object]", **settings: Any) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w", **settings) as file:
        fill(file)
    return out.getvalue()


def agree(data: bytes, count: int) -> None:
    expected = theirs(io.BytesIO(data))
    assert len(expected) == count
    assert contents(data, "zoo.h5") == expected


def test_the_pinned_files(model_file: Callable[[str, str], Path]) -> None:
    listed = models.model_files(".h5", ".hdf5", ".keras")
    assert listed
    for package, path in listed:
        file = model_file(package, path)
        assert contents(file) == theirs(file), path


LIBVERS = ("earliest", "v108", "v110", "latest")
KINDS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")


def array(kind: str, shape: tuple[int, ...] = (5, 7)) -> "np.ndarray[Any, Any]":
    return (RNG.random(shape) * 100).astype(kind)


@pytest.mark.parametrize("libver", LIBVERS)
def test_every_type_in_both_byte_orders(libver: str) -> None:
    def fill(file: h5py.File) -> None:
        for kind in KINDS:
            for order in "<>":
                file[f"{order}/{kind}"] = array(order + kind)
        file["bool"] = array("f4") > 50
        file["scalar"] = np.float64(2.5)
        file["empty"] = np.zeros((0, 3), np.float32)
        file["text"] = "not a tensor"

    agree(made(fill, libver=libver), 2 * len(KINDS) + 3)


def virtual_free(name: str) -> dict[str, Any]:
    """Settings of `create_dataset`, by what they are about."""
    return {
        "contiguous": {},
        "chunked": {"chunks": (3, 4)},
        "one chunk": {"chunks": (10, 13)},
        "edges": {"chunks": (7, 9)},
        "deflate": {"chunks": (4, 5), "compression": "gzip"},
        "one deflated chunk": {"chunks": (10, 13), "compression": "gzip"},
        "shuffle": {"chunks": (4, 5), "compression": "gzip", "shuffle": True},
        "checksum": {"chunks": (4, 5), "fletcher32": True},
        "all filters": {"chunks": (4, 5), "fletcher32": True, "shuffle": True, "compression": "gzip"},
        "one growing dim": {"chunks": (4, 5), "maxshape": (None, 13)},
        "one growing, filtered": {"chunks": (4, 5), "maxshape": (None, 13), "compression": "gzip"},
        "two growing dims": {"chunks": (4, 5), "maxshape": (None, None)},
        "two growing, filtered": {"chunks": (4, 5), "maxshape": (None, None), "compression": "gzip"},
        "room to grow": {"chunks": (4, 5), "maxshape": (40, 50)},
    }[name]


LAYOUTS = (
    *("contiguous", "chunked", "one chunk", "edges", "deflate", "one deflated chunk", "shuffle", "checksum"),
    *("all filters", "one growing dim", "one growing, filtered", "two growing dims", "two growing, filtered"),
    "room to grow",
)


@pytest.mark.parametrize("libver", LIBVERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(libver: str, layout: str) -> None:
    def fill(file: h5py.File) -> None:
        for kind in ("<f4", ">i2", "<f8"):
            file.create_dataset(kind, data=array(kind, (10, 13)), **virtual_free(layout))

    agree(made(fill, libver=libver), 3)


@pytest.mark.parametrize("libver", LIBVERS)
@pytest.mark.parametrize("maxshape", [(None,), (5000,), (5000, None)])
def test_indexes_of_many_chunks(libver: str, maxshape: tuple[int | None, ...]) -> None:
    """Extensible arrays, fixed arrays and B-trees with more than one block, page or level."""

    def fill(file: h5py.File) -> None:
        shape = (5000,) if len(maxshape) == 1 else (5000, 2)
        chunks = (2,) if len(maxshape) == 1 else (4, 1)
        file.create_dataset("many", data=array("<i4", shape), chunks=chunks, maxshape=maxshape)
        file.create_dataset("packed", data=array("<i4", shape), chunks=chunks, maxshape=maxshape, compression="gzip")

    agree(made(fill, libver=libver), 2)


@pytest.mark.parametrize("libver", LIBVERS)
def test_places_without_a_chunk_hold_the_fill_value(libver: str) -> None:
    def fill(file: h5py.File) -> None:
        sparse = file.create_dataset("filled", (20, 20), "<f4", chunks=(3, 3), fillvalue=7.5)
        sparse[4:9, 10:12] = 1
        file.create_dataset("never written", (6,), ">i4", fillvalue=-3)
        file.create_dataset("never written, chunked", (6, 6), "<f8", chunks=(2, 2))

    agree(made(fill, libver=libver), 3)


@pytest.mark.parametrize("libver", LIBVERS)
@pytest.mark.parametrize("count", [1, 8, 9, 40, 700])
def test_groups_of_every_size(libver: str, count: int) -> None:
    """Symbol tables, compact links and dense links in a fractal heap."""

    def fill(file: h5py.File) -> None:
        for index in range(count):
            file[f"group/layer_{index}/kernel:0"] = np.float32(index)
        file["group"].attrs["names"] = [f"layer_{index}".encode() for index in range(count)]

    agree(made(fill, libver=libver, track_order=count % 2 == 0), count)


def test_compact_storage_and_a_user_block() -> None:
    def fill(file: h5py.File) -> None:
        space = h5py.h5s.create_simple((4,))
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, settings).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4, dtype="<f4")
        )

    agree(made(fill), 1)


def test_a_tensor_with_two_hard_links_counts_under_both_names() -> None:
    def fill(file: h5py.File) -> None:
        file["one"] = array("f4")
        file["two"] = file["one"]

    assert sorted(contents(made(fill), "zoo.h5")) == ["one", "two"]


def test_room_for_chunks_that_are_not_there_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index of an unlimited dimension has places for 40,000 chunks; a dataset of four looks at four."""
    from gitops_model.readers.hdf5 import chunk_arrays

    looked: list[int] = []
    whole = chunk_arrays.extensible

    def counted(*words: Any) -> Any:
        for number, found in enumerate(whole(*words)):
            looked.append(number)
            yield found

    monkeypatch.setattr(chunk_arrays, "extensible", counted)
    settings: dict[str, Any] = {"chunks": (2,), "maxshape": (None,)}
    agree(made(lambda file: file.create_dataset("a", data=array("f4", (8,)), **settings), libver="latest"), 1)
    assert len(looked) == 4
