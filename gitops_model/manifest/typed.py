"""YAML text into JSON values, as the schema asks for them.

YAML 1.1 would turn `1.10` into 1.1, `on` into true, `010` into 8 and `1:30` into 90. Here a scalar is text until the
schema says that an integer, a number, a truth value or null may stand in its place, and then only the plain spellings
count: `3`, `0.5`, `true`, `null` (or `~`, or nothing). Text in quotes stays text.
"""

import re
from typing import TypeAlias, cast

from gitops_model.manifest.nodes import Mapping, Node, Scalar

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = dict[str, Json]

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_TEXT: Schema = {"type": "string"}


def typed(node: Node, schema: Schema, root: Schema) -> Json:
    """The value of `node`. Its nesting is bounded by the composer, so this may recurse."""
    schema = resolve(schema, root)
    if isinstance(node, Scalar):
        return scalar(node, kinds(schema))
    if isinstance(node, Mapping):
        return {key: typed(value, _member(schema, key), root) for key, (_, value) in node.entries.items()}
    items = schema.get("items")
    inner = cast(Schema, items) if isinstance(items, dict) else _TEXT
    return [typed(item, inner, root) for item in node.items]


def scalar(node: Scalar, types: frozenset[str]) -> Json:
    """The value of one scalar where values of `types` may stand. Null is never text, whatever the schema allows."""
    text = node.value
    if not node.plain:
        return text
    if text in NULLS:
        return None
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        number = float(text)
        return number if number - number == 0 else text
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    return text


def kinds(schema: Schema) -> frozenset[str]:
    """The JSON types that a schema allows by its own `type`; text where it says nothing."""
    types = schema.get("type", "string")
    return frozenset(str(kind) for kind in types) if isinstance(types, list) else frozenset((str(types),))


def resolve(schema: Schema, root: Schema) -> Schema:
    """Follow a `$ref` into `$defs` (the only ones that this schema uses)."""
    while isinstance(reference := schema.get("$ref"), str):
        definitions = cast("dict[str, Schema]", root["$defs"])
        schema = definitions[reference.removeprefix("#/$defs/")]
    return schema


def _member(schema: Schema, key: str) -> Schema:
    properties = schema.get("properties")
    if isinstance(properties, dict) and isinstance(inner := properties.get(key), dict):
        return inner
    more = schema.get("additionalProperties")
    return more if isinstance(more, dict) else _TEXT
