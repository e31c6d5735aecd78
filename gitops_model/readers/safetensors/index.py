"""Sharded safetensors: `model.safetensors.index.json` says which shard holds each tensor; together they are one model.

Source of the layout: huggingface_hub/serialization (`save_torch_state_dict`): an object with `metadata`, whose values
are free, and `weight_map`, from tensor to file name. The map must agree with what the shards really hold: a loader
follows the map, a reviewer reads the shards.
"""

import json
import re
from typing import Any, NamedTuple, cast

from gitops_model.blob import Blob, NoSource, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, Span, Tensor
from gitops_model.readers.safetensors import model as shards

TITLE = "a safetensors index"

LIMIT_JSON = 16 * 1024 * 1024
"""Bytes; the largest published index (92,000 tensors) has 9 MB, and `json` needs up to twenty times as much memory."""

LIMIT_SHARDS = 10_000
MOST = 20
"""Tensors that are told one by one."""

BEGINNINGS = (b'{"metadata":', b'{"weight_map":')
_DEPTH = re.compile(r'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)


class Index(NamedTuple):
    """`places` maps a tensor to its shard; `twice` are tensors that the map names more than once."""

    places: dict[str, str]
    metadata: dict[str, str]
    twice: tuple[str, ...]

    @property
    def files(self) -> list[str]:
        return sorted(set(self.places.values()))


def sniff(head: bytes) -> bool:
    compact = b"".join(head[:256].split())
    if not compact:
        return False
    return any(compact.startswith(key[: len(compact)]) for key in BEGINNINGS) or b'"weight_map"' in head


def read(blob: Blob, source: Source) -> Model:
    """One model out of an index and its shards. BadFile: GM001 cut short, GM002 the index or a shard contradicts
    itself, GM005, GM010 (and what else `source` says) for a shard that is not there.

    Without a source (git's textconv) the map itself is shown, and no tensor.
    """
    index = parse(blob)
    if isinstance(source, NoSource):
        return Model(
            "safetensors",
            (),
            properties={"shards": len(index.files)},
            metadata=index.metadata | {f"weight_map/{name}": file for name, file in index.places.items()},
            deps=tuple(index.files),
            header=Span(0, blob.size),
        )
    tensors: list[Tensor] = []
    problems = [Problem("GM006", f"the index names tensor {name!r} twice") for name in index.twice]
    for file in index.files:
        with source.open(file) as shard:
            part = read_shard(shard, source, file)
        problems += part.problems
        tensors += (tensor._replace(data=placed(tensor, file)) for tensor in part.tensors)
    problems += compare(index, tensors)
    return Model(
        "safetensors",
        tuple(tensors),
        properties={"shards": len(index.files)},
        metadata=index.metadata,
        deps=tuple(index.files),
        problems=tuple(problems),
        header=Span(0, blob.size),
    )


def read_shard(shard: Blob, source: Source, file: str) -> Model:
    try:
        if not shards.sniff(shard.head(4096)):
            raise BadFile(Problem("GM004", "this is no safetensors file"))
        return shards.read(shard, source)
    except BadFile as error:
        raise BadFile(error.problem._replace(message=f"shard {file!r}: {error.problem.message}")) from error


def placed(tensor: Tensor, file: str) -> Span:
    assert isinstance(tensor.data, Span)
    return tensor.data._replace(file=file)


def compare(index: Index, tensors: list[Tensor]) -> list[Problem]:
    """Where the map and the shards disagree."""
    found: list[Problem] = []
    held: dict[str, str] = {}
    for tensor in tensors:
        assert isinstance(tensor.data, Span)
        file, mapped = tensor.data.file, index.places.get(tensor.name)
        if tensor.name in held:
            message = f"tensor {tensor.name!r} lies in {held[tensor.name]!r} and again in {file!r}"
            found.append(Problem("GM006", message))
        elif mapped is None:
            found.append(disagreement(f"shard {file!r} holds tensor {tensor.name!r}, which the index does not name"))
        elif mapped != file:
            found.append(disagreement(f"tensor {tensor.name!r} lies in {file!r}, not in {mapped!r} as the index says"))
        held.setdefault(tensor.name, file)
    for name, file in index.places.items():
        if name not in held:
            found.append(disagreement(f"shard {file!r} lacks tensor {name!r}, which the index places there"))
    if len(found) > MOST:
        found[MOST:] = [disagreement(f"the index and its shards disagree in {len(found) - MOST} more tensors")]
    return found


def disagreement(message: str) -> Problem:
    return Problem("GM002", message, hint="write the model and its index again")


# --- the index itself -----------------------------------------------------------------------------------------------
def parse(blob: Blob) -> Index:
    if blob.size > LIMIT_JSON:
        raise BadFile(Problem("GM005", f"the index has {blob.size} bytes, the limit is {LIMIT_JSON}"))
    raw = blob.read(0, blob.size)
    twice: list[str] = []
    try:
        document: Any = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=lambda pairs: unique(pairs, twice))
    except (ValueError, RecursionError) as error:
        if is_cut(raw.decode("utf-8", "replace")):
            raise BadFile(blob.truncated(blob.size, 1)) from error
        raise BadFile(Problem("GM002", "the index is no valid JSON")) from error
    places = cast("dict[str, Any]", document).get("weight_map") if isinstance(document, dict) else None
    if not isinstance(places, dict):
        raise BadFile(Problem("GM002", "the index has no weight_map", expected="an object from tensor to shard"))
    for name, file in cast("dict[str, Any]", places).items():
        if not isinstance(file, str) or not file.endswith(".safetensors"):
            raise BadFile(Problem("GM002", f"the index places {name!r} in {file!r}", expected="a .safetensors file"))
    metadata = cast("dict[str, Any]", document).get("metadata")
    texts: dict[str, str] = {}
    if isinstance(metadata, dict):
        texts = {name: as_text(value) for name, value in cast("dict[str, Any]", metadata).items()}
    index = Index(cast("dict[str, str]", places), texts, tuple(twice[:MOST]))
    if len(index.files) > LIMIT_SHARDS:
        raise BadFile(Problem("GM005", f"the index names {len(index.files)} shards, the limit is {LIMIT_SHARDS}"))
    return index


def unique(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    """A dict; keys that occur again are noted."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            twice.append(key)
        found[key] = value
    return found


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def is_cut(text: str) -> bool:
    """Whether brackets or a string are still open at the end."""
    depth = 0
    for token in _DEPTH.finditer(text):
        mark = token[0]
        if mark == '"':  # a string without its end
            return True
        depth += (mark in "{[") - (mark in "}]")
    return depth > 0
