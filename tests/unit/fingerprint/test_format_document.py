"""docs/format.md is the contract: its examples hold by themselves, and the product does what they say.

`recompute` knows the notation of the page and BLAKE3, and nothing of the product.
"""

import re
import struct
from pathlib import Path

import pytest
from blake3 import blake3

from gitops_model import ir
from gitops_model.blob import Blob, NoSource
from gitops_model.errors import Problem
from gitops_model.fingerprint import Fingerprint, fingerprint, prefix_digests, weights_digest
from gitops_model.readers import read_model
from gitops_model.readers.bytes import TensorBytes

PAGE = Path(__file__).parents[3] / "docs" / "format.md"

WORD = re.compile(r'"[^"]*"|(\w+)\(("[^"]*"|[^()]*)\)|\[[^\]]+\]|[0-9a-f]{2}(?![0-9a-zA-Z])')


def word_bytes(word: str, known: dict[str, bytes]) -> bytes:
    if word.startswith('"'):
        return word[1:-1].encode()
    if word.startswith("["):
        return known[word[1:-1]]
    call = re.fullmatch(r"(\w+)\((.*)\)", word)
    if call is None:
        return bytes.fromhex(word)
    kind, argument = call.groups()
    if kind == "text":
        raw = argument[1:-1].encode()
        return struct.pack("<I", len(raw)) + raw
    if kind == "zeros":
        return bytes(int(argument))
    code = {"u32": "<I", "u64": "<Q", "i64": "<q", "f32": "<f"}[kind]
    return struct.pack(code, float(argument) if kind == "f32" else int(argument))


def recompute(page: str) -> dict[str, tuple[str, str]]:
    """Name → (digest from the example's bytes, digest that the page states)."""
    known: dict[str, bytes] = {}
    found: dict[str, tuple[str, str]] = {}
    for example in re.findall(r"^```example\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        data = b""
        for line in example.splitlines():
            if line.startswith("= "):
                name, stated = line[2:].split()
                known[name] = blake3(data).digest()
                found[name] = known[name].hex(), stated
                break
            marked = line.removeprefix("sorted ")
            words = [match[0] for match in WORD.finditer(marked)]
            assert " ".join(words).split() == marked.split(), f"not in the notation: {line}"
            parts = [word_bytes(word, known) for word in words]
            data += b"".join(sorted(parts) if marked != line else parts)
        else:
            pytest.fail(f"an example has no result:\n{example}")
    return found


EXAMPLES = recompute(PAGE.read_text())


def test_the_page_has_an_example_of_every_recipe() -> None:
    text = PAGE.read_text()
    examples = "".join(re.findall(r"^```example\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    recipes = {"tensor", "sparse", "weights", "header", "signature", "node", "input", "constant", "structure", "model"}
    assert set(re.findall(r'"gitops-model/(\w+)/1"', examples)) == recipes


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_digest_of_an_example_follows_from_its_bytes(name: str) -> None:
    computed, stated = EXAMPLES[name]
    assert computed == stated


# --- the product on the same models ---------------------------------------------------------------------------------
def inline(name: str, dtype: str, shape: tuple[int, ...], data: bytes) -> ir.Tensor:
    return ir.Tensor(name, dtype, shape, ir.Inline(data), len(data))


MATRIX = inline("layer.1.weight", "float32", (2, 3), struct.pack("<6f", 1, 2, 3, 4, 5, 6))
SCALAR = inline("layer.1.bias", "int64", (), struct.pack("<q", -1))
EMPTY = inline("layer.10.weight", "float16", (0,), b"")
NIBBLES = inline("nibbles", "int4", (3,), b"\x21\x0f")
STRINGS = inline("strings", "string", (2,), struct.pack("<Q2sQ", 2, b"ab", 0))
SPARSE = ir.Tensor(
    "sparse",
    "float32",
    (2, 3),
    ir.Sparse(ir.Inline(struct.pack("<2f", 7, 9)), ir.Inline(struct.pack("<4q", 0, 1, 1, 2)), 2, 2),
    40,
)
W = inline("W", "float32", (4, 2), struct.pack("<8f", 1, 2, 3, 4, 5, 6, 7, 8))


def node(op: str, inputs: tuple[str, ...], output: str, *attributes: ir.Attribute) -> ir.Node:
    return ir.Node(op, "ai.onnx", "", inputs, (output,), attributes)


def values(*names: str) -> tuple[ir.Value, ...]:
    return tuple(ir.Value(name, None) for name in names)


def digests(model: ir.Model) -> Fingerprint:
    return fingerprint(model, TensorBytes(Blob.of_bytes("m", b""), NoSource()))


def stated(name: str) -> str:
    return EXAMPLES[name][1]


@pytest.mark.parametrize(
    "name, tensor",
    [
        ("matrix", MATRIX),
        ("scalar", SCALAR),
        ("empty", EMPTY),
        ("nibbles", NIBBLES),
        ("strings", STRINGS),
        ("sparse", SPARSE),
    ],
)
def test_the_product_hashes_the_tensors_of_the_page(name: str, tensor: ir.Tensor) -> None:
    found = digests(ir.Model("test", (tensor,)))
    assert found.tensors[0].digest == stated(name)
    assert found.problems == ()


def test_the_product_hashes_the_weights_of_the_page() -> None:
    found = digests(ir.Model("test", (EMPTY, MATRIX, SCALAR)))
    rows = [(tensor.name, bytes.fromhex(tensor.digest)) for tensor in found.tensors]
    assert found.weights == "gm1-weights:" + stated("weights")
    assert weights_digest(rows, "layer.1") == "gm1-weights:" + stated("weights-of-layer.1")
    assert prefix_digests(rows)["layer.1"] == "gm1-weights:" + stated("weights-of-layer.1")


def test_training_state_is_hashed_by_the_recipe_of_its_own() -> None:
    training = tuple(tensor._replace(group="optimizer") for tensor in (MATRIX, SCALAR))
    found = digests(ir.Model("test", (EMPTY, *training)))
    rows = sorted((tensor.name.encode(), bytes.fromhex(tensor.digest)) for tensor in found.tensors[1:])
    data = b"".join(struct.pack("<I", len(name)) + name + digest for name, digest in rows)
    assert found.optimizer == "gm1-optimizer:" + blake3(b"gitops-model/optimizer/1\0" + data).hexdigest()
    assert found.weights == digests(ir.Model("test", (EMPTY,))).weights


def test_the_product_hashes_the_header_of_a_file_without_tensors() -> None:
    blob = Blob.of_bytes("m.safetensors", struct.pack("<Q", 2) + b"{}")
    found = fingerprint(read_model(blob, NoSource()), TensorBytes(blob, NoSource()))
    assert found.weights == "gm1-weights:" + stated("no-tensors")


def test_the_product_hashes_the_signature_of_the_page() -> None:
    model = ir.Model(
        "test",
        (),
        inputs=(
            ir.Value("x", ir.TensorType("float32", ("batch", 3))),
            ir.Value("n", ir.TensorType("int64", ())),
        ),
        outputs=(ir.Value("y", ir.TensorType("float32", ("batch", None))),),
    )
    assert digests(model).signature == "gm1-signature:" + stated("signature")


def test_the_product_hashes_the_structure_and_the_model_of_the_page() -> None:
    nodes = (node("MatMul", ("x", "W"), "xw"), node("Relu", ("xw",), "y"))
    graph = ir.Graph("g", values("x"), values("y"), nodes, {"W": W})
    found = digests(ir.Model("test", (W,), graph=graph))
    assert found.structure == "gm1-structure:" + stated("structure")
    assert found.model == "gm1-model:" + stated("model")


def test_the_product_hashes_the_subgraphs_of_the_page() -> None:
    softmax = node("Softmax", ("x",), "s", ir.Attribute("axis", "int", 1))
    branches = (
        ir.Attribute("then_branch", "graph", ir.Graph("then", (), values("s"), (softmax,), {})),
        ir.Attribute("else_branch", "graph", ir.Graph("else", (), values("x"), (), {})),
    )
    graph = ir.Graph("g", values("c", "x"), values("y"), (node("If", ("c",), "y", *branches),), {})
    assert digests(ir.Model("test", (), graph=graph)).structure == "gm1-structure:" + stated("structure-with-subgraphs")


def test_set_padding_bits_are_reported_and_hashed_as_they_are() -> None:
    tensor = NIBBLES._replace(data=ir.Inline(b"\x21\x8f"))
    found = digests(ir.Model("test", (tensor,)))
    assert [problem.code for problem in found.problems] == ["GM011"]
    assert isinstance(found.problems[0], Problem)
    assert found.tensors[0].digest == blake3(b"gitops-model/tensor/1\0int4\x003\0\x21\x8f").hexdigest()
