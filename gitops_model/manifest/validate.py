"""The document against the published schema (JSON Schema 2020-12), each error as a Problem at its place.

jsonschema decides what is wrong; this module says which rule that is, where it stands, and what was expected: the
`description` of the part of the schema that failed.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

from gitops_model.errors import Problem
from gitops_model.manifest.model import key_at, node_at
from gitops_model.manifest.nodes import Node, Scalar, shown
from gitops_model.manifest.paths import trouble
from gitops_model.manifest.text import Text
from gitops_model.manifest.typed import Json, Schema
from gitops_model.nearest import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Path: TypeAlias = tuple[str | int, ...]

_ABOUT_A_VALUE = frozenset(("type", "enum", "pattern", "minLength", "maxLength", "minimum", "exclusiveMinimum"))
_OWN_RULE = {"version": "GM105", "architecture": "GM106"}


@cache
def schema() -> Schema:
    """The published schema of manifests."""
    with open(os.path.join(os.path.dirname(__file__), "schema.json"), encoding="utf-8") as stream:
        return cast(Schema, json.load(stream))


@cache
def _validator() -> "Validator":
    from jsonschema import Draft202012Validator

    # The patterns end in `(?!\n)$`, since Python's `$`, unlike ECMA-262's, also matches before a final line break.
    return Draft202012Validator(schema())


def validate(document: Json, root: Node, text: Text) -> Iterator[Problem]:
    """Every disagreement of `document` with the schema; `root` holds its places."""
    told: dict[Path, str] = {}
    """Paths of values that a rule was about, each with that rule: text of a wrong type also fails its pattern."""
    for error in _validator().iter_errors(document):
        path = tuple(error.absolute_path)
        if error.validator in _ABOUT_A_VALUE and "propertyNames" not in error.absolute_schema_path:
            if path in told:
                continue
            told[path] = str(error.validator)
        yield from _problems(error, root, text)


def _problems(error: "ValidationError", root: Node, text: Text) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    rule = str(error.validator)
    node = node_at(root, path)
    part = cast(Schema, error.schema) if isinstance(error.schema, Mapping) else {}
    if rule == "additionalProperties":
        yield from _unknown(path, part, cast("dict[str, Json]", error.instance), root, text)
    elif rule == "required":
        yield _missing(path, error, node, text)
    elif "propertyNames" in error.absolute_schema_path:
        yield _bad_path(str(error.instance), path, root, text)
    elif error.schema is False:
        here = text.place(key_at(root, path))
        message = f"{shown(str(path[-1]))} does not go with 'type'"
        yield Problem("GM103", message, *here, expected="either dtype and shape, or type", found="both")
    elif rule in {"minProperties", "minItems"}:
        here = text.place(node.start)
        yield Problem("GM104", f"{_name(path)} is empty", *here, expected=_expected(part), found="nothing")
    elif error.instance is None and isinstance(node, Scalar) and not node.value:
        here = text.place(key_at(root, path))
        yield Problem("GM104", f"{_name(path)} has no value", *here, expected=_expected(part), found="nothing")
    else:
        yield _wrong(path, rule, part, node, text)


def _unknown(path: Path, part: Schema, found: "dict[str, Json]", root: Node, text: Text) -> Iterator[Problem]:
    known = list(cast("dict[str, Json]", part.get("properties", {})))
    in_digests = len(path) == 2 and path[0] == "checksums"
    for key in found:
        if key in known:
            continue
        close = nearest(key, known)
        expected = close or ", ".join(known)
        here = text.place(key_at(root, (*path, key)))
        if in_digests:
            yield Problem("GM109", f"the digest {shown(key)} is not known", *here, expected=expected, found=key[:80])
            continue
        odd = next((letter for letter in key if letter > "\x7f"), None) if close else None
        message = f"the key {shown(key)} is not known" + (f" here in {_name(path)}" if path else "")
        if odd is not None:
            message += f"; it holds U+{ord(odd):04X}, which only looks like a letter of {close!r}"
        elif close:
            message += f"; did you mean {close!r}?"
        yield Problem("GM103", message, *here, expected=expected, found=key[:80])


def _missing(path: Path, error: "ValidationError", node: Node, text: Text) -> Problem:
    instance = cast("dict[str, Json]", error.instance)
    required = cast("list[str]", error.validator_value)
    # one error per missing key, in the order of `required`: its message begins with the key in quotes
    key = next((name for name in required if name not in instance and error.message.startswith(repr(name))), "?")
    where = "the manifest" if not path else _name(path)
    message = f"{where} has no {key!r}"
    if path and path[0] in {"inputs", "outputs"}:
        message += " (and no 'type', which a value that is no tensor has instead)"
    properties = cast("dict[str, Schema]", cast(Schema, error.schema).get("properties", {}))
    expected = f"{key}: {_expected(properties[key])}" if key in properties else key
    return Problem("GM104", message, *text.place(node.start), expected=expected, found="nothing")


def _bad_path(key: str, path: Path, root: Node, text: Text) -> Problem:
    what, expected = trouble(key) or ("the path cannot be used", "a relative path")
    here = text.place(key_at(root, (*path, key)))
    return Problem("GM110", f"{shown(key)}: {what}", *here, expected=expected, found=key[:200])


def _wrong(path: Path, rule: str, part: Schema, node: Node, text: Text) -> Problem:
    code = _code(path, rule)
    message = f"{_name(path)} {_COMPLAINTS.get(code, 'is not valid')}"
    expected = _expected(part)
    found = _found(node)
    words = cast("list[str]", part.get("enum", []))
    if rule == "uniqueItems":
        message = f"{_name(path)} names one thing twice"
    elif isinstance(node, Scalar) and (close := _close(node.value, words, code)):
        message += f"; did you mean {close!r}?"
        expected = close
    elif code == "GM109" and isinstance(node, Scalar):
        message, found = _bad_digest(str(path[-1]), node.value)
    elif code == "GM105" and isinstance(node, Scalar) and re.fullmatch(r"[vV]\d.*", node.value):
        message = "the version must not begin with 'v'"
    elif rule == "type" and isinstance(node, Scalar) and not node.plain and part.get("type") != "string":
        message = f"{_name(path)} is text, because it stands in quotes"
    elif code == "GM108" and isinstance(node, Scalar) and re.fullmatch("-[0-9]+", node.value):
        message = f"{_name(path)} is negative; a free dimension is null or a symbol"
    return Problem(code, message, *text.place(node.start), expected=expected, found=found)


def _bad_digest(algorithm: str, value: str) -> tuple[str, str]:
    length = 128 if algorithm == "sha512" else 64
    if len(value) != length:
        return f"a {algorithm} digest has {length} digits, not {len(value)}", f"{len(value)} characters"
    if re.fullmatch("[0-9a-fA-F]*", value):
        return f"the {algorithm} digest is written with capital letters", value[:16] + "…"
    odd = next(letter for letter in value if letter not in "0123456789abcdefABCDEF")
    return f"{shown(odd)} is no hexadecimal digit", value[:16] + "…"


_ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "fp16": "float16", "fp32": "float32", "fp64": "float64", "f16": "float16", "f32": "float32", "f64": "float64",
    "bf16": "bfloat16", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "u8": "uint8", "str": "string",
    "boolean": "bool", "float8": "float8_e4m3fn", "fp8": "float8_e4m3fn", "f8_e4m3": "float8_e4m3fn",
    "f8_e5m2": "float8_e5m2", "x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "aarch64": "arm64",
}  # fmt: skip
"""What other tools call the same thing (torch, C, uname, safetensors)."""


_COMPLAINTS = {
    "GM105": "is no Semantic Version",
    "GM106": "is no known architecture",
    "GM107": "is no known element type",
    "GM114": "has the wrong type",
}


def _close(word: str, words: list[str], code: str) -> str | None:
    """The allowed word that is meant: by another tool's name for it, or by a slip."""
    if code == "GM106":
        words = ["amd64", "arm64"]
    bare = word.lower().removeprefix("torch.").removeprefix("np.").removeprefix("numpy.")
    meant = _ALIASES.get(bare, bare)
    return meant if meant in words else nearest(word, words)


def _code(path: Path, rule: str) -> str:
    """The rule that owns what stands at `path`."""
    top = path[0] if path else ""
    if len(path) >= 3 and top in {"inputs", "outputs"}:
        return {"dtype": "GM107", "shape": "GM108"}.get(str(path[2]), "GM114" if rule == "type" else "GM117")
    if top == "checksums" and len(path) == 3 and rule != "type":
        return "GM109"
    if rule == "type":
        return "GM114"
    if len(path) >= 2 and path[:2] == ("runtime", "dtypes") and rule == "enum":
        return "GM107"
    return _OWN_RULE.get(str(top), "GM117")


def _expected(part: Schema) -> str:
    about = str(part.get("description", part.get("type", "something else")))
    kind = {"integer": "an integer", "number": "a number", "array": "a list", "object": "a mapping"}.get(
        str(part.get("type"))
    )
    if kind is None:
        return about
    for limit, word in (("minimum", "from"), ("exclusiveMinimum", "above")):
        kind += f" {word} {part[limit]}" if limit in part else ""
    return f"{kind}: {about}"


def _found(node: Node) -> str:
    if isinstance(node, Scalar):
        return shown(node.value) if not node.plain or node.value == "" else node.value[:80]
    return "a list" if not hasattr(node, "entries") else "a mapping"


def _name(path: Path) -> str:
    """`inputs.x.shape[1]`: how people write where something stands."""
    if not path:
        return "the manifest"
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = step if re.fullmatch(r"[\w/-]{1,80}", step) else shown(step)
            text += f".{word}" if text else word
    return text
