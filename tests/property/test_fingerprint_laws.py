"""Laws of tensor and weights digests: every bit and every name counts, order and container do not."""

import json
import random
import struct

import numpy as np
import pytest
import safetensors.numpy
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile, Problem
from gitops_model.fingerprint import Fingerprint, fingerprint, prefix_digests, tensors, weights_digest
from gitops_model.fingerprint.weights import is_under, prefixes
from gitops_model.ir import Deflated, Inline, Joined, Locator, Span, Sparse, Strided, Tensor
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

KINDS = ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(
    r"[ab]{1,2}([./][ab]{1,2}){0,3}", fullmatch=True
)
arrays = st.builds(
    lambda kind, shape, seed: np.frombuffer(
        random.Random(seed).randbytes(int(np.prod(shape)) * np.dtype(kind).itemsize), np.dtype(kind)
    ).reshape(shape),
    st.sampled_from(KINDS),
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(0, 5),
)
models = st.dictionaries(names.filter(lambda name: name != "__metadata__"), arrays, max_size=6)


def saved(model: "dict[str, np.ndarray]", metadata: dict[str, str] | None = None) -> bytes:
    return safetensors.numpy.save(model, metadata)


def digests(content: bytes, jobs: int | None = None) -> Fingerprint:
    blob = Blob.of_bytes("m.safetensors", content)
    with TensorBytes(blob, NoSource()) as data:
        return fingerprint(read_model(blob, NoSource()), data, jobs)


def by_name(found: Fingerprint) -> dict[str, str]:
    return {tensor.name: tensor.digest for tensor in found.tensors}


@given(models)
def test_what_safetensors_saves_has_the_digests_of_the_arrays(model: "dict[str, np.ndarray]") -> None:
    expected = {
        name: blake3(
            f"gitops-model/tensor/1\0{array.dtype.name}\0{','.join(map(str, array.shape))}\0".encode() + array.tobytes()
        ).hexdigest()
        for name, array in model.items()
    }
    assert by_name(digests(saved(model))) == expected


@given(models.filter(lambda model: any(array.size for array in model.values())), st.data())
def test_one_flipped_bit_changes_one_tensor_and_the_weights(
    model: "dict[str, np.ndarray]", data: st.DataObject
) -> None:
    content = bytearray(saved(model))
    start = 8 + int.from_bytes(content[:8], "little")
    bit = data.draw(st.integers(8 * start, 8 * len(content) - 1))
    before = digests(bytes(content))
    content[bit // 8] ^= 1 << bit % 8
    after = digests(bytes(content))
    assert sum(one.digest != two.digest for one, two in zip(before.tensors, after.tensors, strict=True)) == 1
    assert before.weights != after.weights
    assert before.model != after.model
    assert before.structure == after.structure


@given(models, st.randoms(use_true_random=False))
def test_neither_order_nor_layout_nor_metadata_count(model: "dict[str, np.ndarray]", rng: random.Random) -> None:
    """The header in another order and other spacing, the tensors in another order in the buffer."""
    content = saved(model)
    items = list(model.items())
    rng.shuffle(items)
    header: dict[str, object] = {"__metadata__": {"written": "again"}}
    buffer = b""
    known = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    for name, array in items:
        header[name] = {**known[name], "data_offsets": [len(buffer), len(buffer) + array.nbytes]}
        buffer += array.tobytes()
    text = json.dumps(header, indent=1).encode()
    other = digests(struct.pack("<Q", len(text)) + text + buffer)
    plain = digests(content)
    assert by_name(other) == by_name(plain)
    if model:
        assert (other.weights, other.structure, other.model) == (plain.weights, plain.structure, plain.model)


@given(models.filter(bool), st.data())
def test_a_renamed_tensor_changes_the_weights_and_not_the_structure(
    model: "dict[str, np.ndarray]", data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(model)))
    new = data.draw(names.filter(lambda new: new not in model and new != "__metadata__"))
    renamed = {new if key == name else key: array for key, array in model.items()}
    before, after = digests(saved(model)), digests(saved(renamed))
    assert before.weights != after.weights
    assert (before.structure, before.model) == (after.structure, after.model)
    assert sorted(by_name(before).values()) == sorted(by_name(after).values())


@given(models.filter(bool), st.data())
def test_another_shape_or_type_over_the_same_bytes_is_another_tensor(
    model: "dict[str, np.ndarray]", data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(model)))
    before = digests(saved(model))
    reshaped = {**model, name: model[name][np.newaxis]}
    assert by_name(digests(saved(reshaped)))[name] != by_name(before)[name]
    assert digests(saved(reshaped)).structure != before.structure
    retyped = (
        {**model, name: model[name].view("i1" if model[name].dtype == np.dtype("u1") else "u1")}
        if (model[name].ndim)
        else None
    )
    if retyped is not None:
        assert by_name(digests(saved(retyped)))[name] != by_name(before)[name]


# --- weights --------------------------------------------------------------------------------------------------------
rows = st.lists(st.tuples(names, st.binary(min_size=32, max_size=32)), max_size=8)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_tensors_does_not_count(tensors: list[tuple[str, bytes]], rng: random.Random) -> None:
    shuffled = list(tensors)
    rng.shuffle(shuffled)
    assert weights_digest(shuffled) == weights_digest(tensors)
    assert prefix_digests(shuffled) == prefix_digests(tensors)


@given(rows)
def test_the_digest_of_every_prefix_is_that_of_the_tensors_under_it(tensors: list[tuple[str, bytes]]) -> None:
    found = prefix_digests(tensors)
    assert found.keys() == {"", *(prefix for name, _ in tensors for prefix in prefixes(name))}
    for prefix, digest in found.items():
        assert digest == weights_digest(tensors, prefix)
        inside = (prefix + ".", prefix + "/")
        under = [row for row in tensors if not prefix or row[0] == prefix or row[0].startswith(inside)]
        assert digest == weights_digest(under)


@pytest.mark.parametrize(
    "name, prefix, expected",
    [
        ("layer.1.w", "layer.1", True),
        ("layer.10.w", "layer.1", False),
        ("layer.1", "layer.1", True),
        ("layer.1/x", "layer.1", True),
        ("layer.1.w", "layer", True),
        ("layer-1.w", "layer", False),
        ("anything", "", True),
        (".hidden", "", True),
    ],
)
def test_a_prefix_is_whole_components(name: str, prefix: str, *, expected: bool) -> None:
    assert is_under(name, prefix) is expected


def test_a_name_of_many_components_has_a_bounded_number_of_prefixes() -> None:
    assert len(prefixes("a." * 10_000)) == 16


def test_names_that_are_no_utf8_count_by_their_bytes() -> None:
    digest = bytes(32)
    expected = blake3(b"gitops-model/weights/1\0" + struct.pack("<I", 2) + b"a\xff" + digest).hexdigest()
    assert weights_digest([(b"a\xff".decode("utf-8", "surrogateescape"), digest)]) == f"gm1-weights:{expected}"
    assert weights_digest([("\ud800", digest)]).startswith("gm1-weights:")


# --- the engine -----------------------------------------------------------------------------------------------------
def expected_digest(tensor: Tensor, data: TensorBytes) -> bytes:
    hasher = blake3(f"gitops-model/tensor/1\0{tensor.dtype}\0{','.join(map(str, tensor.shape))}\0".encode())
    for chunk in data.chunks(tensor.data):
        hasher.update(chunk)
    return hasher.digest()


@st.composite
def layouts(draw: st.DrawFn) -> "tuple[bytes, list[Tensor]]":
    """Tensors over one buffer in any way: neighbours, holes, overlaps, ties, empty ones, views and pieces."""
    content = random.Random(draw(st.integers(0, 9))).randbytes(draw(st.integers(1, 4000)))
    found: list[Tensor] = []
    for number in range(draw(st.integers(0, 12))):
        begin = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, len(content) - begin))
        locator: Locator = Span(begin, length)
        form = draw(st.sampled_from(["span", "span", "span", "joined", "inline", "view"]))
        if form == "joined":
            locator = Joined((Span(begin, length // 2), Span(begin + length // 2, length - length // 2)))
        elif form == "inline":
            locator = Inline(content[begin : begin + length])
        elif form == "view":
            locator = Strided(locator, 1, 0, ((length + 1) // 2,), (2,))
            length = (length + 1) // 2
        found.append(Tensor(f"t{number}", "uint8", (length,), locator, length))
    return content, found


@given(layouts(), st.sampled_from([None, 0, -3, 1, 2, 5]), st.sampled_from([1, 64, 1 << 20]))
def test_every_layout_gives_the_digests_of_the_bytes(
    case: "tuple[bytes, list[Tensor]]", jobs: int | None, run: int
) -> None:
    content, listed = case
    with pytest.MonkeyPatch.context() as patch, TensorBytes(Blob.of_bytes("m", content), NoSource()) as data:
        patch.setattr(tensors, "RUN", run)
        patch.setattr(tensors, "WINDOW", 4 * run)
        found, problems = tensors.tensor_digests(listed, data, jobs)
        assert found == [expected_digest(tensor, data) for tensor in listed]
        assert problems == []


def test_neighbouring_tensors_share_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {f"t{number}": np.full(8, number, np.float32) for number in range(1000)}
    blob = Blob.of_bytes("m.safetensors", saved(model))
    opened: list[int] = []
    plain = Blob.windows

    def counting(blob: Blob, offset: int, length: int, *rest: object, **options: object) -> object:
        opened.append(length)
        return plain(blob, offset, length, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Blob, "windows", counting)
    with TensorBytes(blob, NoSource()) as data:
        fingerprint(read_model(blob, NoSource()), data)
    assert opened == [32_000]


def failing(listed: list[Tensor], content: bytes = bytes(100), jobs: int = 2) -> Problem:
    with TensorBytes(Blob.of_bytes("m", content), NoSource()) as data, pytest.raises(BadFile) as caught:
        tensors.tensor_digests(listed, data, jobs)
    return caught.value.problem


@pytest.mark.parametrize("jobs", [1, 4])
def test_the_first_bad_tensor_is_the_one_that_is_reported(jobs: int) -> None:
    good = [Tensor(f"g{number}", "uint8", (1,), Span(number, 1), 1) for number in range(50)]
    bad = [Tensor(f"b{number}", "uint8", (4,), Deflated(Span(number, 10), 0, 4, 4), 4) for number in range(5)]
    assert failing([*good, *bad], jobs=jobs).code == "GM002"


def test_a_tensor_of_the_wrong_size_is_refused() -> None:
    for locator in (Span(0, 3), Joined((Span(0, 1), Span(5, 2)))):
        assert failing([Tensor("t", "uint8", (4,), locator, 4)]).code == "GM007"


def test_nothing_is_hashed_when_a_tensor_lies_outside_its_file() -> None:
    assert failing([Tensor("t", "uint8", (101,), Span(0, 101), 101)]).code == "GM001"


def test_many_tensors_over_the_same_bytes_are_a_bomb() -> None:
    size = 1 << 20
    tied = [Tensor(f"t{number}", "uint8", (size,), Span(0, size), size) for number in range(40)]
    content = bytes(size)
    with TensorBytes(Blob.of_bytes("m", content), NoSource()) as data:
        assert len(set(tensors.tensor_digests(tied, data)[0])) == 1
    assert failing(tied * 10, content).code == "GM005"


# --- sparse ---------------------------------------------------------------------------------------------------------
def sparse_tensor(
    indices: "list[int] | list[tuple[int, ...]]", values: list[float], shape: tuple[int, ...], rank: int = 1
) -> Tensor:
    index = np.array(indices, "<i8").tobytes()
    data = Sparse(Inline(struct.pack(f"<{len(values)}f", *values)), Inline(index), len(values), rank)
    return Tensor("s", "float32", shape, data, len(index) + 4 * len(values))


def sparse_digest(tensor: Tensor) -> bytes:
    with TensorBytes(Blob.of_bytes("m", b""), NoSource()) as data:
        return tensors.tensor_digests([tensor], data)[0][0]


@given(st.sets(st.integers(0, 23), max_size=10), st.randoms(use_true_random=False))
def test_a_sparse_tensor_has_one_digest_in_any_order_and_either_form(places: set[int], rng: random.Random) -> None:
    order = sorted(places)
    values = [float(place) for place in order]
    plain = sparse_digest(sparse_tensor(order, values, (4, 6)))
    content = np.array(order, "<i8").tobytes() + np.array(values, "<f4").tobytes()
    assert plain == blake3(b"gitops-model/sparse/1\0float32\x004,6\0" + content).digest()
    rng.shuffle(order)
    values = [float(place) for place in order]
    assert sparse_digest(sparse_tensor(order, values, (4, 6))) == plain
    rows = [divmod(place, 6) for place in order]
    assert sparse_digest(sparse_tensor(rows, values, (4, 6), 2)) == plain


@pytest.mark.parametrize(
    "tensor",
    [
        sparse_tensor([24], [1], (4, 6)),
        sparse_tensor([-1], [1], (4, 6)),
        sparse_tensor([3, 3], [1, 2], (4, 6)),
        sparse_tensor([5, 3, 3], [1, 2, 3], (4, 6)),
        sparse_tensor([(0, 6)], [1], (4, 6), 2),
        sparse_tensor([(-1, 0)], [1], (4, 6), 2),
        sparse_tensor([(0, 0, 0)], [1], (4, 6), 3),
        sparse_tensor([1, 2], [1], (4, 6)),
        sparse_tensor([1], [1, 2], (4, 6)),
    ],
)
def test_a_sparse_tensor_that_contradicts_itself_is_refused(tensor: Tensor) -> None:
    with pytest.raises(BadFile) as caught:
        sparse_digest(tensor)
    assert caught.value.problem.code == "GM002"
