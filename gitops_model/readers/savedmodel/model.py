"""`saved_model.pb`: signature, graph and functions; the variables beside it through their index.

Field numbers after tensorflow/core/protobuf: saved_model.proto, meta_graph.proto.
"""

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Model, TensorType, Value
from gitops_model.readers.protobuf import VARINT, Wire
from gitops_model.readers.savedmodel.bundle import variables
from gitops_model.readers.savedmodel.graph import GraphReading
from gitops_model.readers.savedmodel.protos import dtype_of, map_entries, shape_of, tag, tensor_type, text

TITLE = "a TensorFlow SavedModel"

INDEX = "variables/variables.index"
SERVING = "serving_default"


def sniff(head: bytes) -> bool:
    """A schema version (field 1, the value 1), then a meta graph (field 2)."""
    return head[:3] == b"\x08\x01\x12"[: len(head)] and len(head) > 0


def read(blob: Blob, source: Source) -> Model:
    """Describe the model. Raises BadFile: GM001 cut short, GM002, GM004, GM005, GM010 (no variables beside it)."""
    if not sniff(blob.head(3)):
        raise BadFile(Problem("GM004", "this is no SavedModel", expected="a saved_model.pb"))
    wire = Wire(blob)
    graphs = [(a, b) for name, a, b in wire.fields(0, blob.size, "SavedModel", root=True) if name == tag(2)]
    if not graphs:
        raise BadFile(blob.truncated(blob.size, 1))
    reading = GraphReading(wire)
    signatures: dict[str, tuple[tuple[Value, ...], tuple[Value, ...]]] = {}
    metadata: dict[str, str] = {}
    graph, functions = None, ()
    for field, first, behind in wire.fields(*graphs[0], "MetaGraphDef"):
        if field == tag(2):
            graph, functions = reading.main(first, behind)
        elif field == tag(1):
            metadata |= info(wire, first, behind)
        elif field == tag(5):
            key, (a, b) = map_entries(wire, first, behind)
            signatures[key] = signature(wire, a, b)
    if graph is None:
        raise BadFile(blob.truncated(blob.size, 1))
    for key, (inputs, outputs) in sorted(signatures.items()):
        given = ", ".join(value.name for value in inputs)
        metadata[f"signature/{key}"] = f"{given} -> {', '.join(value.name for value in outputs)}"
    chosen = signatures.get(SERVING) or next((signatures[key] for key in sorted(signatures) if key[:2] != "__"), None)
    tensors = list(reading.tensors)
    deps: list[str] = []
    if has_variables(graph.nodes):
        with source.open(INDEX) as index:
            found, shards = variables(index, "variables/")
        tensors += found
        deps = [INDEX, *shards]
    return Model(
        "savedmodel",
        tuple(tensors),
        inputs=chosen[0] if chosen else None,
        outputs=chosen[1] if chosen else None,
        graph=graph,
        functions=functions,
        properties={"meta_graphs": len(graphs)},
        metadata=metadata,
        deps=tuple(deps),
    )


def has_variables(nodes: tuple[object, ...]) -> bool:
    """A graph that restores nothing has no variables beside it (a frozen one)."""
    return any(getattr(node, "op_type", "") in ("RestoreV2", "VarHandleOp", "VariableV2") for node in nodes)


def info(wire: Wire, start: int, end: int) -> dict[str, str]:
    """MetaInfoDef: tags and TensorFlow's version."""
    found: dict[str, str] = {}
    tags: list[str] = []
    for field, first, behind in wire.fields(start, end, "MetaInfoDef"):
        if field == tag(4):
            tags.append(text(wire, first, behind))
        elif field == tag(5):
            found["tensorflow_version"] = text(wire, first, behind)
    if tags:
        found["tags"] = ", ".join(tags)
    return found


def signature(wire: Wire, start: int, end: int) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """SignatureDef: inputs and outputs sorted by name, as protobuf's maps have no order."""
    sides: dict[int, list[Value]] = {1: [], 2: []}
    for field, first, behind in wire.fields(start, end, "SignatureDef"):
        if field in (tag(1), tag(2)):
            key, (a, b) = map_entries(wire, first, behind)
            sides[field >> 3].append(Value(key, tensor_info(wire, a, b)))
    return tuple(sorted(sides[1])), tuple(sorted(sides[2]))


def tensor_info(wire: Wire, start: int, end: int) -> TensorType | None:
    """TensorInfo: dtype and shape."""
    number, shape = 0, None
    for field, first, behind in wire.fields(start, end, "TensorInfo"):
        if field == tag(2, VARINT):
            number = first
        elif field == tag(3):
            shape = shape_of(wire, first, behind)
    return tensor_type(dtype_of(number)[0], shape) if number else None
