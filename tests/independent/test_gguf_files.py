"""The GGUF reader against the gguf library: every type, both byte orders, alignments, shards."""

import itertools
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from support.contents import Held, contents
from support.folder import Folder

from gitops_model.blob import Blob
from gitops_model.readers import read_model
from gitops_model.readers.gguf.types import GGML_TYPES, PLAIN

RNG = np.random.default_rng(3)
TYPES = [kind for kind in Kind if kind in gguf.GGML_QUANT_SIZES and kind != Kind.Q8_1]
"""Without Q8_1, whose blocks have 36 bytes in GGML (ggml-common.h) and 40 in the library; no file holds it."""


def theirs(path: Path) -> dict[str, Held]:
    """What the library's reader finds, dims in logical order, elements little endian."""
    reader = gguf.GGUFReader(path)
    found: dict[str, Held] = {}
    for tensor in reader.tensors:
        raw = np.ascontiguousarray(tensor.data)
        plain = PLAIN.get(tensor.tensor_type.name)
        little = raw.astype(raw.dtype.newbyteorder("<")) if plain and plain != "bfloat16" else raw
        shape = tuple(int(dim) for dim in reversed(tensor.shape))
        found[tensor.name] = Held(plain or tensor.tensor_type.name, shape, little.tobytes())
    return found


def blocks(kind: Kind, rows: int = 3) -> "tuple[np.ndarray[Any, Any], tuple[int, int]]":
    """Random bytes as `rows` rows of two blocks each, and the shape in elements."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    return RNG.integers(0, 256, (rows, 2 * size), np.uint8), (rows, 2 * elements)


def write(path: Path, **settings: Any) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "llama", **settings)
    writer.add_string("general.name", "zoo")
    return writer


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_the_table_of_types_is_the_libraries() -> None:
    known = {kind.value: (kind.name, *gguf.GGML_QUANT_SIZES[kind]) for kind in TYPES}
    assert len(known) > 25
    assert {number: GGML_TYPES[number] for number in known} == known


def test_every_type(tmp_path: Path) -> None:
    path = tmp_path / "zoo.gguf"
    writer = write(path)
    for kind in TYPES:
        data, _ = blocks(kind)
        writer.add_tensor(f"zoo.{kind.name}", data, raw_dtype=kind)
    finish(writer)
    expected = theirs(path)
    assert len(expected) == len(TYPES)
    assert contents(path) == expected
    assert expected["zoo.Q4_K"].shape == (3, 512)


NUMBERS = ("i1", "i2", "i4", "i8", "f2", "f4", "f8")


@pytest.mark.parametrize("order", [gguf.GGUFEndian.LITTLE, gguf.GGUFEndian.BIG])
def test_plain_numbers_in_both_byte_orders(tmp_path: Path, order: gguf.GGUFEndian) -> None:
    path = tmp_path / "numbers.gguf"
    writer = write(path, endianess=order)
    arrays = {f"n.{kind}": (RNG.random((4, 5)) * 90).astype(kind) for kind in NUMBERS}
    for name, array in arrays.items():
        writer.add_tensor(name, array.copy())  # the library swaps a big-endian file's arrays in place
    finish(writer)
    expected = {name: Held(array.dtype.name, array.shape, array.tobytes()) for name, array in arrays.items()}
    assert contents(path) == expected
    assert theirs(path) == expected


@pytest.mark.parametrize("alignment", [8, 32, 256])
def test_alignment_and_ranks(tmp_path: Path, alignment: int) -> None:
    path = tmp_path / "aligned.gguf"
    writer = write(path)
    writer.add_custom_alignment(alignment)
    shapes = [(3,), (2, 3), (2, 3, 5), (2, 3, 5, 2)]
    for shape in shapes:
        writer.add_tensor(f"rank{len(shape)}", RNG.random(shape).astype(np.float32))
    finish(writer)
    expected = theirs(path)
    assert [held.shape for held in expected.values()] == shapes
    assert contents(path) == expected


def test_shards_are_one_model(tmp_path: Path) -> None:
    whole, first = tmp_path / "whole.gguf", tmp_path / "many.gguf"
    arrays = {f"blk.{index}.weight": RNG.random((8, 8)).astype(np.float32) for index in range(7)}
    for path, settings in ((whole, {}), (first, {"split_max_tensors": 3})):
        writer = write(path, **settings)
        for name, array in arrays.items():
            writer.add_tensor(name, array)
        finish(writer)
    shards = sorted(tmp_path.glob("many-*.gguf"))
    assert [shard.name for shard in shards] == [f"many-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    assert contents(shards[0]) == contents(whole) == theirs(whole)
    assert list(contents(shards[0])) == list(itertools.chain.from_iterable(theirs(shard) for shard in shards))
    with Blob.of_file(shards[1]) as blob:
        assert len(read_model(blob, Folder(tmp_path)).tensors) == 3, "a later shard stands for itself"
