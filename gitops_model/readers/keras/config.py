"""The architecture in a Keras configuration: layers as nodes, and what in it would run code.

Keras rebuilds a model from this JSON. A `Lambda` layer holds marshalled Python bytecode, which loading runs: GM605.
"""

import json
from typing import Any, TypeAlias, cast

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Attribute, Graph, Node, OtherType, Value

DOMAIN = "keras"

LIMIT_JSON = 8 * 1024 * 1024
"""Bytes of configuration; `json` needs about twenty times as much memory."""

Json: TypeAlias = Any
Object: TypeAlias = dict[str, Any]


def read_config(text: str) -> tuple[Graph | None, list[Problem]]:
    """(the layers as a graph, problems). The graph is None for a configuration of a subclassed model."""
    if len(text) > LIMIT_JSON:
        raise BadFile(Problem("GM005", f"the Keras configuration has {len(text)} bytes, the limit is {LIMIT_JSON}"))
    try:
        config: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(Problem("GM002", "the Keras configuration is no valid JSON")) from error
    problems = [code_problem(name) for name in executable(config)]
    return graph_of(config), problems


def keras_version(text: str) -> str | None:
    """The version in an archive's metadata.json, None where it has none."""
    try:
        version = entry(json.loads(text), "keras_version")
    except (ValueError, RecursionError):
        return None
    return version if isinstance(version, str) else None


def code_problem(name: str) -> Problem:
    return Problem(
        "GM605",
        f"{name} holds Python code that loading the model would run",
        hint="replace it by a registered layer and save the model again",
    )


def executable(config: Json) -> list[str]:
    """What in the configuration is code: Lambda layers and serialized lambdas, with the layer's name."""
    found: list[str] = []
    stack: list[Json] = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            item = cast("Object", part)
            kind = item.get("class_name")
            if kind in ("Lambda", "__lambda__"):
                inner = item.get("config")
                name = cast("Object", inner).get("name") if isinstance(inner, dict) else None
                found.append(f"Lambda layer {name!r}" if kind == "Lambda" else "a serialized lambda")
                if kind == "Lambda":
                    continue  # its function is the same code once more
            stack.extend(item.values())
        elif isinstance(part, list):
            stack.extend(cast("list[Json]", part))
    return sorted(found)


def graph_of(config: Json) -> Graph | None:
    inner = entry(config, "config")
    listed = cast("Json", inner) if isinstance(inner, list) else entry(inner, "layers")
    if not isinstance(listed, list):
        return None
    layers = [cast("Object", layer) for layer in cast("list[Json]", listed) if isinstance(layer, dict)]
    sequential = entry(config, "class_name") == "Sequential"
    nodes: list[Node] = []
    inputs: list[Value] = []
    before = ""
    for layer in layers:
        settings = entry(layer, "config")
        name = str(layer.get("name") or entry(settings, "name") or f"#{len(nodes)}")
        kind = str(layer.get("class_name", "?"))
        if kind == "InputLayer":
            inputs.append(Value(name, OtherType(input_type(settings))))
            before = name
            continue
        sources = ([before] if before else []) if sequential else histories(layer.get("inbound_nodes"))
        nodes.append(Node(kind, DOMAIN, name, tuple(sources), (name,), attributes(settings)))
        before = name
    ends = histories(entry(inner, "output_layers")) or ([before] if before else [])
    return Graph("", tuple(inputs), tuple(Value(name, None) for name in ends), tuple(nodes), {})


def attributes(settings: Json) -> tuple[Attribute, ...]:
    """Every setting of a layer but its name, as canonical JSON."""
    if not isinstance(settings, dict):
        return ()
    return tuple(
        Attribute(key, "string", json.dumps(value, sort_keys=True).encode())
        for key, value in sorted(cast("Object", settings).items())
        if key != "name"
    )


def input_type(settings: Json) -> str:
    shape = entry(settings, "batch_shape") or entry(settings, "batch_input_shape")
    return f"{entry(settings, 'dtype') or '?'}{json.dumps(shape)}"


def histories(part: Json) -> list[str]:
    """The layers that feed a layer, in order: `keras_history` of Keras 3, `[name, node, tensor, …]` before."""
    found: list[str] = []
    stack: list[Json] = [part]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            table = cast("Object", item)
            history = table.get("keras_history")
            if isinstance(history, list) and history:
                found.append(source(cast("list[Json]", history)))
            else:
                stack.extend(reversed(list(table.values())))
        elif isinstance(item, list):
            items = cast("list[Json]", item)
            if len(items) >= 3 and isinstance(items[0], str) and all(isinstance(i, int) for i in items[1:3]):
                found.append(source(items))
            else:
                stack.extend(reversed(items))
    return found


def source(history: list[Json]) -> str:
    """`NAME` for the layer's only output, `NAME:k` for a further one."""
    return f"{history[0]}:{history[2]}" if len(history) > 2 and history[2] else str(history[0])


def entry(part: Json, key: str) -> Json:
    return cast("Object", part).get(key) if isinstance(part, dict) else None
