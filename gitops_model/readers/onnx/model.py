"""ONNX: a ModelProto in protobuf's wire format, read without the `onnx` library and without touching the weights.

Fields may come in any order and in several pieces (protobuf merges them), so the places of the top-level fields are
gathered first. Source of every field number: onnx.proto of onnx 1.23.
"""

import gc

from gitops_model.blob import Blob, Source
from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, Function, Model, Span
from gitops_model.readers.onnx.graph import attribute_of, graph_of, nodes_of
from gitops_model.readers.onnx.reading import DEFAULT_DOMAIN, Reading
from gitops_model.readers.onnx.tensor import entry
from gitops_model.readers.protobuf import VARINT, signed, varint

TITLE = "an ONNX model"

GRAPH, OPSET, METADATA, TRAINING, FUNCTION = 0x3A, 0x42, 0x72, 0xA2, 0xCA

DOMAIN = 0x22

NUMBERS = {0x08: "ir_version", 0x28: "model_version"}
TEXTS = {0x12: "producer_name", 0x1A: "producer_version", DOMAIN: "domain", 0x32: "doc_string"}
LISTS = (GRAPH, OPSET, METADATA, TRAINING, FUNCTION)
CONFIGURATION = 0xD2

KNOWN = {*NUMBERS, *TEXTS, *LISTS, CONFIGURATION}

BEGINNINGS = {
    GRAPH: {0x0A, 0x12, 0x2A, 0x52, 0x5A, 0x62, 0x6A, 0x72, 0x7A, 0x82},
    OPSET: {0x0A, 0x10},
    METADATA: {0x0A},
}
"""The first tag inside the messages that a file may begin with."""


def sniff(head: bytes) -> bool:
    """Whether the first bytes are fields of a ModelProto, in whatever order; a cut-off beginning of one is one."""
    i = 0
    while i < len(head):
        try:
            tag, i = varint(head, i)
            if tag not in KNOWN:
                return False
            value, i = varint(head, i)
        except IndexError:
            return True
        except ValueError:
            return False
        if tag & 7 == VARINT:
            if tag == 0x08 and not 0 < value < 1 << 16:
                return False
            continue
        content = head[i : i + value]
        if tag in TEXTS and not text_like(content, whole=len(content) == value):
            return False
        if tag == DOMAIN and b" " in content:  # else a text that begins with a quotation mark would do
            return False
        if tag in BEGINNINGS and content and content[0] not in BEGINNINGS[tag]:
            return False
        i += value
    return bool(head)


def text_like(content: bytes, *, whole: bool) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if whole or error.end < len(content):
            return False
        text = content[: error.start].decode()
    return all(character.isprintable() or character.isspace() for character in text)


def read(blob: Blob, source: Source) -> Model:
    """The model; no byte of a weight is read, except where a padding bit or a count of numbers asks for it.

    Raises BadFile: GM001 for a file that ends too early, GM002, GM005, GM007, GM601 as the parts say.
    """
    if not blob.size:
        raise BadFile(blob.truncated(0, 1))
    collects = gc.isenabled()
    gc.disable()  # a description is a million small tuples without a cycle; looking for one doubles the time
    try:
        return model_of(Reading(blob, source), blob.size)
    finally:
        if collects:
            gc.enable()


def model_of(reading: Reading, size: int) -> Model:
    properties, places = top_level(reading, size)
    opset = opset_of(reading, places[OPSET])
    if not opset and properties.get("ir_version") in (1, 2):  # before IR version 3 there was nothing to import
        opset = {DEFAULT_DOMAIN: 1}
    if not places[GRAPH]:
        raise incomplete(size, "graph")
    graph = graph_of(reading, places[GRAPH])
    if not opset:  # it may stand last, so that a file which breaks off before it has a whole graph
        raise incomplete(size, "opset_import")
    functions = tuple(function_of(reading, a, b) for a, b in places[FUNCTION])
    metadata = dict(entry(reading, a, b) for a, b in places[METADATA])
    return Model(
        format="onnx",
        tensors=tuple(reading.tensors),
        inputs=tuple(value for value in graph.inputs if value.name not in graph.initializers),
        outputs=graph.outputs,
        graph=graph,
        functions=functions,
        opset=opset,
        properties=properties,
        metadata=metadata,
        deps=tuple(reading.deps),
        problems=reading.problems(),
        header=None if reading.tensors else Span(0, size),
    )


def incomplete(size: int, missing: str) -> BadFile:
    return BadFile(
        Problem(
            "GM001",
            f"the file ends at byte {size} without its {missing}",
            expected="a ModelProto with graph and opset_import",
            found=f"{size} bytes",
        )
    )


def top_level(reading: Reading, size: int) -> tuple[dict[str, str | int], dict[int, list[tuple[int, int]]]]:
    """The numbers and texts of a ModelProto that say something, and the places of its messages by tag."""
    properties: dict[str, str | int] = {}
    places: dict[int, list[tuple[int, int]]] = {tag: [] for tag in LISTS}
    for tag, a, b in reading.wire.fields(0, size, "ModelProto", root=True):
        if tag in places:
            places[tag].append((a, b))
        elif tag in NUMBERS:
            properties[NUMBERS[tag]] = signed(a)
        elif tag in TEXTS:
            properties[TEXTS[tag]] = reading.text(a, b)
    if places[TRAINING]:
        properties["training_info"] = len(places[TRAINING])
    return {key: value for key, value in properties.items() if value not in ("", 0)}, places


def opset_of(reading: Reading, places: list[tuple[int, int]]) -> dict[str, int]:
    """Domain → version; of two imports of one domain the higher version binds (onnx.proto)."""
    opset: dict[str, int] = {}
    for start, end in places:
        domain, version = DEFAULT_DOMAIN, 0
        for tag, a, b in reading.wire.fields(start, end, "OperatorSetIdProto"):
            if tag == 0x0A:
                domain = reading.text(a, b) or DEFAULT_DOMAIN
            elif tag == 0x10:
                version = signed(a)
        opset[domain] = max(version, opset.get(domain, version))
    return opset


def function_of(reading: Reading, start: int, end: int) -> Function:
    name = overload = ""
    domain = DEFAULT_DOMAIN
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: list[str] = []
    places: dict[int, list[tuple[int, int]]] = {0x3A: [], 0x4A: [], 0x5A: []}
    text = reading.text
    for tag, a, b in reading.wire.fields(start, end, "FunctionProto"):
        if tag in places:
            places[tag].append((a, b))
        elif tag == 0x0A:
            name = text(a, b)
        elif tag == 0x22:
            inputs.append(text(a, b))
        elif tag == 0x2A:
            outputs.append(text(a, b))
        elif tag == 0x32:
            attributes.append(text(a, b))
        elif tag == 0x52:
            domain = text(a, b) or DEFAULT_DOMAIN
        elif tag == 0x6A:
            overload = text(a, b)
    prefix = f"{domain}:{name}:{overload}/"
    defaults: list[Attribute] = [attribute_of(reading, place, prefix[:-1], 0) for place in places[0x5A]]
    return Function(
        domain,
        name,
        overload,
        tuple(inputs),
        tuple(outputs),
        tuple(attributes),
        tuple(defaults),
        nodes_of(reading, places[0x3A], prefix),
        opset_of(reading, places[0x4A]),
    )
