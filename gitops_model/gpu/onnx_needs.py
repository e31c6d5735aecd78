"""What an ONNX model needs of a runtime: IR, opset, operators with their types, element types.

The types of an operator are those of its schema's type parameters (`T`, `T1`), as kernels are registered by them. The
schemas are those of the `onnx` package; without it, and for operators that it does not know (com.microsoft), the
operator is listed without types.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from gitops_model.gpu.onnx_values import Inferred, Values, numbered
from gitops_model.gpu.shape_worker import schema_row
from gitops_model.ir import Model, Node, TensorType

DEFAULT_DOMAIN = "ai.onnx"
NOT_COMPUTED = ("undefined", "string")


class Schema(NamedTuple):
    """`inputs` and `outputs` are the names of type parameters; `variadic` says that the last one repeats."""

    since: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    variadic: tuple[bool, bool]
    parameters: frozenset[str]


Lookup = Callable[[str, str, int], Schema | None]
"""(domain, operator, opset) → schema."""


def onnx_needs(model: Model, inferred: Inferred = (), schema: Lookup | None = None) -> dict[str, Any]:
    """The `onnx` object of a requirement. `schema` spares loading the package when its answers are already there."""
    lookup = cache(schema or (schema_of if find_spec("onnx") is not None else _none))
    needed: dict[str, Any] = {
        "ir_version": model.properties.get("ir_version"),
        "opset": dict(sorted(model.opset.items())),
    }
    counts: Counter[tuple[str, str, int | None, tuple[tuple[str, tuple[str, ...]], ...]]] = Counter()
    local = {(function.domain, function.name, function.overload) for function in model.functions}
    for node, opset, types in _nodes(model, Values(model, inferred)):
        if (node.domain, node.op_type, node.overload) in local:
            continue
        found: Schema | None = lookup(node.domain, node.op_type, opset.get(node.domain, 0))
        parameters = _parameters(node, found, types) if found is not None else {}
        row = tuple((name, tuple(sorted(names))) for name, names in sorted(parameters.items()))
        counts[node.domain, node.op_type, found.since if found is not None else None, row] += 1
    needed["operators"] = [
        {
            "op_type": op_type,
            "domain": domain,
            "since_version": since,
            "types": {name: list(names) for name, names in types},
            "count": count,
        }
        for (domain, op_type, since, types), count in sorted(counts.items(), key=repr)
    ]
    return needed


def element_types(model: Model, inferred: Inferred = ()) -> list[str]:
    """Every element type of weights and values that a device would compute with."""
    found = {tensor.dtype for tensor in model.tensors if not tensor.group}
    values = Values(model, inferred)
    for value in (*(model.inputs or ()), *(model.outputs or ())):
        if isinstance(value.type, TensorType):
            found.add(value.type.dtype)
    for graph, number, _ in numbered(model):
        for node in graph.nodes:
            for name in node.outputs:
                type_ = values.type_of(number, name) if name else None
                if type_ is not None:
                    found.add(type_.dtype)
    return sorted(found.difference(NOT_COMPUTED))


def _none(_domain: str, _op_type: str, _opset: int) -> None:
    """Without the package nothing has a schema."""


_Typed = Callable[[str], str | None]


def _nodes(model: Model, values: Values) -> Iterator[tuple[Node, dict[str, int], _Typed]]:
    """Every node with the opset that binds it and a look-up for the types of its values; function bodies once."""
    for graph, number, _ in numbered(model):

        def dtype(name: str, number: int = number) -> str | None:
            type_ = values.type_of(number, name)
            return type_.dtype if type_ is not None and type_.dtype != "undefined" else None

        for node in graph.nodes:
            yield node, model.opset, dtype
    for function in model.functions:
        for node in function.nodes:
            yield node, function.opset or model.opset, lambda _: None


def _parameters(node: Node, schema: Schema, dtype: _Typed) -> dict[str, set[str]]:
    """Type parameter → the element types it has at this node."""
    found: dict[str, set[str]] = {}
    for names, formals, variadic in (
        (node.inputs, schema.inputs, schema.variadic[0]),
        (node.outputs, schema.outputs, schema.variadic[1]),
    ):
        for place, name in enumerate(names):
            if place >= len(formals) and not (variadic and formals):
                break
            parameter = formals[min(place, len(formals) - 1)]
            type_ = dtype(name) if name and parameter in schema.parameters else None
            if type_ is not None:
                found.setdefault(parameter, set()).add(type_)
    return found


def schema_of(domain: str, op_type: str, opset: int) -> Schema | None:
    """The schema of the `onnx` package; None when it has none."""
    return schema_from(schema_row(domain, op_type, opset))


def schema_from(row: list[Any] | None) -> Schema | None:
    """From a row of the helper process."""
    if row is None:
        return None
    since, inputs, outputs, many_in, many_out, parameters = row
    return Schema(since, tuple(inputs), tuple(outputs), (many_in, many_out), frozenset(parameters))


def lookup_in(schemas: Mapping[tuple[str, str, int], Schema]) -> Lookup:
    return lambda domain, op_type, opset: schemas.get((domain, op_type, opset))
