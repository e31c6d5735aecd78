"""GGUF version 2 and 3: metadata and tensors of llama.cpp models, in either byte order, in one file or in shards.

Layout: ggml/docs/gguf.md. Block types keep their GGML name over the raw blocks; dims are shown in logical order (the
file's `ne`, reversed). A first shard (`split.no` 0) describes the whole model: the other shards are its deps.
"""

import re
from math import prod

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Locator, Model, Span, Swapped, Tensor
from gitops_model.readers.cursor import Cursor
from gitops_model.readers.gguf.types import GGML_TYPES, PLAIN
from gitops_model.readers.gguf.values import Values, read_text
from gitops_model.readers.templates import template_problem

TITLE = "a GGUF model"

MAGIC = b"GGUF"
LIMIT_TENSORS = 1_000_000
LIMIT_KEYS = 100_000
LIMIT_SHARDS = 1000
SHARD = re.compile(r"^(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$", re.DOTALL)


def sniff(head: bytes) -> bool:
    return len(head) > 0 and head[:4] == MAGIC[: len(head)]


def read(blob: Blob, source: Source) -> Model:
    """Describe a model. BadFile: GM001 cut short, GM002, GM005, GM009 (version 1), GM010 (no such shard)."""
    model, values = read_one(blob, "")
    count = values.integer("split.count") or 1
    if count == 1 or values.integer("split.no") != 0:
        return model
    if not 1 < count <= LIMIT_SHARDS:
        raise BadFile(Problem("GM005", f"the model claims {count} shards"))
    tensors = list(model.tensors)
    deps: list[str] = []
    problems = list(model.problems)
    for name in other_shards(blob.path, count):
        with source.open(name) as shard:
            part, part_values = read_one(shard, name)
        number = len(deps) + 1
        if part_values.integer("split.no") != number or part_values.integer("split.count") != count:
            raise BadFile(Problem("GM002", f"{name!r} is not shard {number + 1} of {count} of this model"))
        tensors += part.tensors
        problems += part.problems
        deps.append(name)
    promised = values.integer("split.tensors.count")
    if promised is not None and promised != len(tensors):
        raise BadFile(Problem("GM002", f"the shards hold {len(tensors)} tensors, the first one promises {promised}"))
    model.tensors, model.deps, model.problems = tuple(tensors), tuple(deps), tuple(problems)
    return model


def read_one(blob: Blob, file: str) -> tuple[Model, Values]:
    """One file; its spans name `file`."""
    head = blob.head(8)
    if not sniff(head):
        raise BadFile(Problem("GM004", "this is no GGUF file", expected="GGUF", found=repr(head[:4])))
    if len(head) < 8:
        raise BadFile(blob.truncated(0, 8))
    little, big = int.from_bytes(head[4:], "little"), int.from_bytes(head[4:], "big")
    version, big_endian = (big, True) if little > 0xFFFF else (little, False)
    if version not in (2, 3):
        hint = "convert it with a current llama.cpp" if version == 1 else None
        raise BadFile(Problem("GM009", f"GGUF version {version} is not read", expected="2 or 3", hint=hint))
    cursor = Cursor(blob, 8, big_endian=big_endian)
    tensor_count, key_count = cursor.u64(), cursor.u64()
    # The smallest tensor row has 24 bytes and the smallest key 13: a count that the file cannot hold is cut or a lie.
    if tensor_count * 24 + key_count * 13 > blob.size:
        raise BadFile(blob.truncated(cursor.offset, tensor_count * 24 + key_count * 13))
    if tensor_count > LIMIT_TENSORS or key_count > LIMIT_KEYS:
        raise BadFile(Problem("GM005", f"{tensor_count} tensors and {key_count} keys are more than is read"))
    values = Values(cursor, key_count)
    rows = [read_row(cursor) for _ in range(tensor_count)]
    alignment = values.integer("general.alignment") or 32
    if alignment & (alignment - 1) or not 1 <= alignment <= 1 << 20:
        raise BadFile(Problem("GM002", f"an alignment of {alignment} bytes is no power of two"))
    start = (cursor.offset + alignment - 1) // alignment * alignment
    tensors = tuple(locate(blob, row, start, file, swapped=big_endian) for row in rows)
    templates = (template_problem(key, text) for key, text in values.texts.items() if "chat_template" in key)
    return (
        Model(
            "gguf",
            tensors,
            properties={"version": version, "byteorder": "big" if big_endian else "little", "alignment": alignment},
            metadata=values.texts,
            problems=tuple(templates),
            header=Span(0, cursor.offset),
        ),
        values,
    )


def read_row(cursor: Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """(name, ne, type, offset)."""
    name = read_text(cursor, "the name of a tensor", 4096)
    rank = cursor.u32()
    if rank > 8:
        raise BadFile(Problem("GM002", f"tensor {name!r} has {rank} dimensions", expected="at most 8"))
    return name, tuple(cursor.u64() for _ in range(rank)), cursor.u32(), cursor.u64()


def locate(blob: Blob, row: tuple[str, tuple[int, ...], int, int], start: int, file: str, *, swapped: bool) -> Tensor:
    name, ne, kind, offset = row
    known = GGML_TYPES.get(kind)
    if known is None:
        raise BadFile(Problem("GM009", f"tensor {name!r} has GGML type {kind}, which is not known here"))
    label, block, nbytes_of_block = known
    if ne and ne[0] % block:
        message = f"tensor {name!r} has rows of {ne[0]} elements, which do not fill {label} blocks of {block}"
        raise BadFile(Problem("GM002", message))
    nbytes = prod(ne) // block * nbytes_of_block
    if start + offset + nbytes > blob.size:
        raise BadFile(blob.truncated(start + offset, nbytes))
    data: Locator = Span(start + offset, nbytes, file)
    if swapped and label in PLAIN and nbytes_of_block > 1:
        data = Swapped(data, nbytes_of_block)
    return Tensor(name, PLAIN.get(label, label), tuple(reversed(ne)), data, nbytes)


def other_shards(path: str, count: int) -> list[str]:
    """The names of shards 2 to `count`, as llama.cpp writes them: STEM-00001-of-00003.gguf."""
    match = SHARD.match(path.rpartition("/")[2])
    if match is None or int(match["count"]) != count or int(match["number"]) != 1:
        raise BadFile(
            Problem(
                "GM010",
                f"the model has {count} shards, but the file's name does not say what the others are called",
                expected=f"NAME-00001-of-{count:05}.gguf",
            )
        )
    return [f"{match['stem']}-{number:05}-of-{count:05}.gguf" for number in range(2, count + 1)]
