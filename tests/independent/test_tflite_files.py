"""The TFLite reader against TensorFlow's own schema (the `tflite` package), on every pinned model."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tflite
from support import models
from support.contents import Held, contents

from gitops_model.blob import Blob, NoSource
from gitops_model.ir import TensorType
from gitops_model.readers import read_model
from gitops_model.readers.tflite.types import OPERATORS, TENSOR_TYPES

LISTED = models.model_files(".tflite")
NAMES = {
    value: name for name, value in vars(tflite.BuiltinOperator).items() if isinstance(value, int) and name.isupper()
}


def parsed(path: Path) -> "tflite.Model":
    return tflite.Model.GetRootAs(path.read_bytes(), 0)


def tensors(model: "tflite.Model") -> Iterator[tuple[str, Held]]:
    """Every tensor with a buffer; its type by the name in the schema."""
    types = {value: name for name, value in vars(tflite.TensorType).items() if name.isupper()}
    for number in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(number)
        for index in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(index)
            buffer = model.Buffers(tensor.Buffer())
            if not tensor.Buffer() or not buffer.DataLength():
                continue
            name = tensor.Name().decode() or f"#{index}"
            shape = tuple(tensor.Shape(axis) for axis in range(tensor.ShapeLength()))
            prefix = f"subgraph#{number}/" if number else ""
            yield prefix + name, Held(types[tensor.Type()].lower(), shape, buffer.DataAsNumpy().tobytes())


def test_the_pinned_set_has_tflite_models() -> None:
    assert len(LISTED) >= 10


@pytest.mark.parametrize("package, path", LISTED)
def test_a_real_model_is_described_as_the_schema_says(
    model_file: Callable[[str, str], Path], package: str, path: str
) -> None:
    file = model_file(package, path)
    model = parsed(file)
    expected = dict(tensors(model))
    assert expected
    assert contents(file) == expected
    with Blob.of_file(file) as blob:
        ours = read_model(blob, NoSource())
    main = model.Subgraphs(0)
    assert ours.graph is not None
    for values, count, at in (
        (ours.inputs, main.InputsLength(), main.Inputs),
        (ours.outputs, main.OutputsLength(), main.Outputs),
    ):
        listed = [main.Tensors(at(index)) for index in range(count)]
        assert [value.name for value in values or ()] == [tensor.Name().decode() for tensor in listed]
        assert all(isinstance(value.type, TensorType) for value in values or ())
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    kinds = [NAMES[max(code.DeprecatedBuiltinCode(), code.BuiltinCode())] for code in codes]
    expected_ops = Counter(kinds[main.Operators(index).OpcodeIndex()] for index in range(main.OperatorsLength()))
    assert Counter(node.op_type for node in ours.graph.nodes) == expected_ops


def test_the_tables_of_operators_and_types_are_the_schemas() -> None:
    for number, name in NAMES.items():
        if name not in ("CUSTOM", "PLACEHOLDER_FOR_GREATER_OP_CODES") and number < len(OPERATORS):
            assert OPERATORS[number] == name
    bits = {"FLOAT32": 32, "FLOAT16": 16, "INT64": 64, "BOOL": 8, "COMPLEX128": 128, "INT4": 4, "UINT16": 16}
    for name, width in bits.items():
        dtype, known = TENSOR_TYPES[getattr(tflite.TensorType, name)]
        assert (dtype, known) == (name.lower(), width)
