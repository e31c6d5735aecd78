"""An index and its shards as one model: what agrees, what does not, and what is not there."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save
from support.tensor_bytes import Files

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.fingerprint import fingerprint
from gitops_model.ir import Model
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.safetensors.index import LIMIT_JSON

NAME = "model.safetensors.index.json"
A = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.bias": np.ones(2, np.float16)}
B = {"b.weight": np.arange(4, dtype=np.int64)}
SHARDS = {"one.safetensors": save(A), "two.safetensors": save(B)}
PLACES = {"a.weight": "one.safetensors", "a.bias": "one.safetensors", "b.weight": "two.safetensors"}


def index(places: object = PLACES, **more: object) -> bytes:
    return json.dumps({"metadata": {"total_size": 60}, "weight_map": places, **more}, indent=2).encode()


def read(content: bytes, shards: Mapping[str, bytes] = SHARDS) -> Model:
    return read_model(Blob.of_bytes(NAME, content), Files(dict(shards)))


def refused(content: bytes, shards: Mapping[str, bytes] = SHARDS) -> Problem:
    with pytest.raises(BadFile) as caught:
        read(content, shards)
    return caught.value.problem


def weights(blob: Blob, source: Any) -> str:
    with TensorBytes(blob, source) as data:
        return fingerprint(read_model(blob, source), data).weights


def test_index_and_shards_are_the_model_in_one_file() -> None:
    model = read(index())
    assert model.format == "safetensors"
    assert model.deps == ("one.safetensors", "two.safetensors")
    assert model.problems == ()
    assert model.metadata == {"total_size": "60"}
    whole = Blob.of_bytes("model.safetensors", save(A | B))
    assert weights(Blob.of_bytes(NAME, index()), Files(SHARDS)) == weights(whole, NoSource())


def test_order_space_and_more_keys_do_not_matter() -> None:
    content = json.dumps({"format": "x", "weight_map": PLACES, "metadata": {}}).encode()
    assert len(read(b"\xef\xbb\xbf \n" + content).tensors) == 3


def test_git_which_has_no_shards_shows_the_map() -> None:
    model = read_model(Blob.of_bytes(NAME, index()), NoSource())
    assert model.tensors == ()
    assert model.metadata["weight_map/a.bias"] == "one.safetensors"


@pytest.mark.parametrize(
    "places, said",
    [
        ({**PLACES, "a.bias": "two.safetensors"}, "lies in 'one.safetensors', not in 'two.safetensors'"),
        ({name: file for name, file in PLACES.items() if name != "a.bias"}, "which the index does not name"),
        ({**PLACES, "c": "two.safetensors"}, "lacks tensor 'c'"),
    ],
    ids=["another shard", "unlisted", "absent"],
)
def test_a_map_that_disagrees_with_the_shards(places: dict[str, str], said: str) -> None:
    problems = read(index(places)).problems
    assert [problem.code for problem in problems] == ["GM002"]
    assert said in problems[0].message


def test_a_tensor_in_two_shards() -> None:
    shards = {**SHARDS, "two.safetensors": save(B | {"a.bias": np.zeros(2, np.float16)})}
    assert [problem.code for problem in read(index(), shards).problems] == ["GM006"]


def test_a_tensor_that_the_map_names_twice() -> None:
    content = b'{"weight_map": {"a.bias": "two.safetensors", ' + json.dumps(PLACES).encode()[1:] + b"}"
    assert [problem.code for problem in read(content).problems] == ["GM006"]


def test_many_disagreements_are_told_in_few_words() -> None:
    places = {**PLACES, **{f"x{number}": "one.safetensors" for number in range(1000)}}
    problems = read(index(places)).problems
    assert len(problems) == 21
    assert "980 more" in problems[-1].message


@pytest.mark.parametrize(
    "content, code",
    [
        (b"{}", "GM004"),  # an object of no known kind is JSON and no index
        (b'{"metadata": {}}', "GM002"),
        (b'{"metadata": {}, "weight_map": []}', "GM002"),
        (b'{"metadata": {}, "weight_map": {"a": 1}}', "GM002"),
        (b'{"metadata": {}, "weight_map": {"a": "weights.bin"}}', "GM002"),
        (b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "GM002"),
        (b'{"metadata": {}, "weight_map": {}} and more', "GM002"),
        (b'{"metadata": {}, "weight_map": {"a": "\xff.safetensors"}}', "GM002"),
    ],
)
def test_what_is_no_index(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_a_missing_shard() -> None:
    problem = refused(index(), {"one.safetensors": SHARDS["one.safetensors"]})
    assert problem.code == "GM010"
    assert "two.safetensors" in problem.message


@pytest.mark.parametrize(
    "content, code",
    [(b"<html></html>   ", "GM004"), (SHARDS["two.safetensors"][:-1], "GM001")],
    ids=["a page", "cut short"],
)
def test_a_broken_shard_is_named(content: bytes, code: str) -> None:
    problem = refused(index(), {**SHARDS, "two.safetensors": content})
    assert problem.code == code
    assert problem.message.startswith("shard 'two.safetensors': ")


def test_every_beginning_is_a_truncated_index() -> None:
    content = index({**PLACES, "näme\n": "two.safetensors"})
    assert {length: refused(content[:length]).code for length in range(len(content))} == dict.fromkeys(
        range(len(content)), "GM001"
    )


def test_an_index_beyond_the_limit_is_not_parsed() -> None:
    blob = Blob.of_bytes(NAME, index())
    blob.size = LIMIT_JSON + 1
    with pytest.raises(BadFile) as caught:
        read_model(blob, Files(SHARDS))
    assert caught.value.problem.code == "GM005"
