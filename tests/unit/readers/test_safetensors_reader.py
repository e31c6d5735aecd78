"""The safetensors reader: every rule of the format, with the format's own library as the judge of what is valid."""

import itertools
import json
import struct
import tracemalloc
from typing import Any

import pytest
import safetensors

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.ir import ELEMENT_BITS, Model, Span
from gitops_model.readers import read_model
from gitops_model.readers.safetensors.model import DTYPES, sniff


def framed(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype: str = "F32", shape: object = (), begin: object = 0, end: object = 4) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def packed(header: dict[str, Any], data: bytes = b"", **options: Any) -> bytes:
    return framed(json.dumps(header, **options).encode(), data)


def read(content: bytes) -> Model:
    return read_model(Blob.of_bytes("m.safetensors", content), NoSource())


def judged(content: bytes) -> dict[str, dict[str, Any]] | None:
    """What the library makes of it; None when it refuses."""
    try:
        return dict(safetensors.deserialize(content))
    except safetensors.SafetensorError:
        return None


def agree(content: bytes) -> Model:
    """Both read it, and see the same tensors in the same bytes."""
    model = read(content)
    expected = judged(content)
    assert expected is not None
    assert {tensor.name for tensor in model.tensors} == expected.keys()
    for tensor in model.tensors:
        other = expected[tensor.name]
        assert isinstance(tensor.data, Span)
        assert DTYPES[other["dtype"]] == tensor.dtype
        assert tuple(other["shape"]) == tensor.shape
        assert content[tensor.data.offset : tensor.data.offset + tensor.data.length] == bytes(other["data"])
    return model


VALID = {
    "no tensors": packed({}),
    "only metadata": packed({"__metadata__": {"format": "pt"}}),
    "a scalar": packed({"a": entry()}, bytes(4)),
    "an empty tensor": packed({"a": entry(shape=[0, 3], end=0)}),
    "empty tensors between others": packed(
        {"a": entry(end=4), "b": entry(shape=[0], begin=4, end=4), "c": entry(begin=4, end=8)}, bytes(8)
    ),
    "any order of the header": packed({"b": entry(begin=4, end=8), "a": entry()}, bytes(8)),
    "spaces around everything": framed(json.dumps({"a": entry()}, indent=2).encode(), bytes(4)),
    "padding of spaces": framed(json.dumps({"a": entry()}).encode() + b"   ", bytes(4)),
    "keys of an entry in any order": framed(b'{"a":{"data_offsets":[0,4],"dtype":"F32","shape":[]}}', bytes(4)),
    "names with escapes": packed({'a"\\\n\u00e9\U0001f600': entry()}, bytes(4)),
    "names in UTF-8": packed({"a\u00e9\U0001f600": entry()}, bytes(4), ensure_ascii=False),
    "the empty name": packed({"": entry()}, bytes(4)),
    "a name that looks like a rule": packed({"dtype": entry()}, bytes(4)),
    "metadata in the middle": packed({"a": entry(), "__metadata__": {"x": "1"}, "b": entry(begin=4, end=8)}, bytes(8)),
    "a long name": packed({"n" * 60_000: entry()}, bytes(4)),
}


@pytest.mark.parametrize("content", VALID.values(), ids=VALID)
def test_valid_files_read_as_the_library_reads_them(content: bytes) -> None:
    assert sniff(content[:4096])
    assert agree(content).problems == ()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_has_the_size_that_the_library_gives_it(dtype: str) -> None:
    size = 24 * ELEMENT_BITS[DTYPES[dtype]] // 8
    agree(packed({"a": entry(dtype, [2, 12], 0, size)}, bytes(range(size))))
    assert judged(packed({"a": entry(dtype, [2, 12], 0, size + 1)}, bytes(size + 1))) is None


def test_metadata_and_order_come_as_they_are() -> None:
    header = {"b": entry(begin=4, end=8), "__metadata__": {"k\u00e9": "v", "": ""}, "a": entry()}
    model = read(packed(header, bytes(8)))
    assert model.metadata == {"k\u00e9": "v", "": ""}
    assert [tensor.name for tensor in model.tensors] == ["a", "b"]
    assert model.header == Span(0, len(packed(header)))


HUGE = 2**62

REFUSED: dict[str, tuple[bytes, str]] = {
    # --- the frame
    "the header is longer than the file": (struct.pack("<Q", 100) + b"{}", "GM001"),
    "a header length of 2^62": (struct.pack("<Q", HUGE) + b"{}", "GM002"),
    "a header length above the limit": (struct.pack("<Q", 100_000_001) + b"{}", "GM002"),
    "an empty header": (framed(b""), "GM002"),
    "data ends too early": (packed({"a": entry()}, bytes(3)), "GM001"),
    "bytes behind the last tensor": (packed({"a": entry()}, bytes(5)), "GM002"),
    "bytes without tensors": (packed({}, b"x"), "GM002"),
    # --- JSON
    "no object": (framed(b"[]"), "GM002"),
    "a byte order mark": (framed(b"\xef\xbb\xbf{}"), "GM002"),
    "cut off JSON": (framed(b'{"a":{"dtype":"F32","shape":[],"data_off'), "GM002"),
    "text behind the object": (framed(b"{} x"), "GM002"),
    "a second object": (framed(b"{}{}"), "GM002"),
    "no UTF-8 in a name": (framed(b'{"\xff":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)), "GM002"),
    "a lone surrogate": (framed(b'{"\\ud800":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)), "GM002"),
    "a control character in a name": (
        framed(b'{"a\x01":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)),
        "GM002",
    ),
    "an unknown escape": (framed(b'{"\\x41":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)), "GM002"),
    "a comma too many": (framed(b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},}', bytes(4)), "GM002"),
    "a comma too few": (framed(b'{"__metadata__":{} "a":1}'), "GM002"),
    # --- entries
    "an entry that is a number": (packed({"a": 1}), "GM002"),
    "an entry that is null": (packed({"a": None}), "GM002"),
    "no dtype": (packed({"a": {"shape": [], "data_offsets": [0, 4]}}, bytes(4)), "GM002"),
    "no shape": (packed({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, bytes(4)), "GM002"),
    "no offsets": (packed({"a": {"dtype": "F32", "shape": []}}, bytes(4)), "GM002"),
    "an unknown dtype": (packed({"a": entry("F31")}, bytes(4)), "GM002"),
    "a dtype in lower case": (packed({"a": entry("f32")}, bytes(4)), "GM002"),
    "a negative dimension": (packed({"a": entry(shape=[-1])}, bytes(4)), "GM002"),
    "a dimension that is a float": (packed({"a": entry(shape=[1.0])}, bytes(4)), "GM002"),
    "a dimension in exponents": (
        framed(b'{"a":{"dtype":"U8","shape":[1e1],"data_offsets":[0,10]}}', bytes(10)),
        "GM002",
    ),
    "a dimension that is true": (packed({"a": entry(shape=[True])}, bytes(4)), "GM002"),
    "a dimension that is a string": (packed({"a": entry(shape=["1"])}, bytes(4)), "GM002"),
    "a dimension with a leading zero": (
        framed(b'{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', bytes(4)),
        "GM002",
    ),
    "dimensions whose product overflows": (packed({"a": entry(shape=[HUGE, HUGE])}, bytes(4)), "GM002"),
    "a dimension above 64 bits": (packed({"a": entry(shape=[10**30, 0], end=0)}), "GM002"),
    "one offset": (packed({"a": {"dtype": "F32", "shape": [], "data_offsets": [0]}}, bytes(4)), "GM002"),
    "three offsets": (packed({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4, 4]}}, bytes(4)), "GM002"),
    "an end before the begin": (packed({"a": entry(begin=4, end=0)}, bytes(4)), "GM002"),
    "a negative begin": (packed({"a": entry(begin=-4, end=0)}, bytes(4)), "GM002"),
    "more bytes than the shape has": (packed({"a": entry(end=8)}, bytes(8)), "GM002"),
    "fewer bytes than the shape has": (packed({"a": entry(shape=[3], end=8)}, bytes(8)), "GM002"),
    "a hole at the start": (packed({"a": entry(begin=4, end=8)}, bytes(8)), "GM002"),
    "a hole between two": (packed({"a": entry(), "b": entry(begin=8, end=12)}, bytes(12)), "GM002"),
    "an overlap": (packed({"a": entry(shape=[2], end=8), "b": entry(begin=4, end=8)}, bytes(8)), "GM002"),
    "two tensors in the same bytes": (packed({"a": entry(), "b": entry()}, bytes(4)), "GM002"),
    "a sub-byte tensor that ends inside a byte": (packed({"a": entry("F4", [3], 0, 2)}, bytes(2)), "GM002"),
    "metadata that is a list": (packed({"__metadata__": []}), "GM002"),
    "metadata that holds a number": (packed({"__metadata__": {"a": 1}}), "GM002"),
    "metadata that holds an object": (packed({"__metadata__": {"a": {}}}), "GM002"),
}

LAX: dict[str, tuple[bytes, str]] = {
    "space before the brace": (framed(b" {}"), "GM002"),
    "an unknown key of an entry": (packed({"a": {**entry(), "x": 1}}, bytes(4)), "GM002"),
    "padding that is no space": (framed(b"{}\n"), "GM002"),
    "metadata with a key twice": (framed(b'{"__metadata__":{"a":"1","a":"2"}}'), "GM002"),
}
"""What the library of this version lets pass."""


@pytest.mark.parametrize("content, code", REFUSED.values(), ids=REFUSED)
def test_what_the_format_forbids_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(content)
    assert caught.value.problem.code == code
    assert judged(content) is None


@pytest.mark.parametrize("content, code", LAX.values(), ids=LAX)
def test_what_the_library_lets_pass_is_refused_too(content: bytes, code: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(content)
    assert caught.value.problem.code == code
    assert judged(content) is not None


def test_a_name_that_is_there_twice_is_reported_and_both_are_kept() -> None:
    one, two = (f'"a":{{"dtype":"F32","shape":[],"data_offsets":[{begin},{begin + 4}]}}' for begin in (0, 4))
    model = read(framed(f"{{{one},{two}}}".encode(), bytes(8)))
    assert [tensor.name for tensor in model.tensors] == ["a", "a"]
    assert [problem.code for problem in model.problems] == ["GM006"]


def test_a_key_of_an_entry_that_is_there_twice_is_refused() -> None:
    with pytest.raises(BadFile) as caught:
        read(framed(b'{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', bytes(4)))
    assert caught.value.problem.code == "GM002"


@pytest.mark.parametrize("content", [VALID["names with escapes"], VALID["metadata in the middle"], VALID["no tensors"]])
def test_every_proper_prefix_is_one_truncated_file(content: bytes) -> None:
    for length in range(len(content)):
        with pytest.raises(BadFile) as caught:
            read(content[:length])
        assert caught.value.problem.code == "GM001", length


def hostile(piece: bytes, start: bytes = b"{", size: int = 8_000_000) -> bytes:
    return framed((start + piece * (size // len(piece)))[:size])


HOSTILE = {
    "nested lists": hostile(b"["),
    "nested objects": hostile(b'{"a":'),
    "nested shapes": hostile(b"[", b'{"a":{"dtype":"F32","shape":'),
    "a long list": hostile(b"0,", b'{"a":{"dtype":"F32","shape":['),
    "empty entries": hostile(b'"a":{},'),
    "a string of escapes": hostile(rb"\\", b'{"'),
    "a string without end": hostile(b"x", b'{"'),
    "spaces": hostile(b" ", b"{"),
    "digits": hostile(b"9", b'{"a":{"dtype":"F32","shape":['),
    "metadata of many keys": framed(
        b'{"__metadata__":{' + b",".join(b'"%d":""' % number for number in range(400_000)) + b"}}"
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_header_takes_no_more_memory_than_a_few_times_its_size(content: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadFile) as caught:
            read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.problem.code in {"GM002", "GM005"}
    assert peak < 6 * len(content) + 4_000_000


def test_more_tensors_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_model.readers.safetensors.model.TENSOR_LIMIT", 10)
    header = {f"t{number}": entry("U8", [0], 0, 0) for number in range(11)}
    with pytest.raises(BadFile) as caught:
        read(packed(header))
    assert caught.value.problem.code == "GM005"


def test_a_name_or_metadata_beyond_the_limit_is_refused() -> None:
    for content in (packed({"n" * 70_000: entry()}, bytes(4)), packed({"__metadata__": {"k" * 70_000: ""}})):
        with pytest.raises(BadFile) as caught:
            read(content)
        assert caught.value.problem.code == "GM005"


def test_both_ways_through_the_header_read_the_same() -> None:
    """The pattern of the usual layout, and the scanner for any other."""
    offsets = list(itertools.accumulate([0, 8, 0, 24, 4]))
    shapes = [[2], [0, 5], [2, 3], []]
    header = {
        f"layer.{number}": entry("F32", shape, begin, end)
        for number, (shape, (begin, end)) in enumerate(zip(shapes, itertools.pairwise(offsets), strict=True))
    }
    tight = read(packed(header, bytes(36), separators=(",", ":")))
    loose = read(packed(header, bytes(36)))
    assert [t[:3] for t in tight.tensors] == [t[:3] for t in loose.tensors]
