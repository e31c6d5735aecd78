"""Requirements and targets as files: YAML or JSON, checked against the published schemas before anything reads them.

In YAML every scalar is text until the schema gives it a type, so that `cuda_driver: 12.10` stays 12.10. What the schema
refuses is an error of the call (exit 2), not a verdict: nobody should mistake a typing error for a machine that fits.
"""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.nearest import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MAX_SIZE = 64 * 1024 * 1024
"""Bytes of one file: the scan of an image with a hundred CUDA libraries is a tenth of it."""
MAX_DEPTH = 16
MAX_SHOWN = 5


# --- files ---------------------------------------------------------------------------------------------------------
def load(path: str, kind: str) -> dict[str, Any]:
    """The document in the file `path`; `kind` is requirements or target. CouldNotRun says what is wrong, and where."""
    try:
        with Blob.of_file(path) as blob:
            return read(blob, kind)
    except BadFile as error:
        raise CouldNotRun(f"{path}: {error.problem.message}") from error


def read(blob: Blob, kind: str) -> dict[str, Any]:
    """The document in a blob. JSON is what begins with a brace and is JSON; anything else is YAML."""
    if blob.size > MAX_SIZE:
        raise CouldNotRun(f"{blob.path}: {blob.size} bytes are too many for {kind} (at most {MAX_SIZE})")
    data = blob.read(0, blob.size)
    try:
        value = _json(data) if data.lstrip()[:1] == b"{" else _yaml(data, kind)
    except _Wrong as error:
        raise CouldNotRun(f"{blob.path}: {error}") from error
    return checked(value, kind, blob.path)


class _Wrong(Exception):
    """What is wrong with a text, without its name."""


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_constant)
    except RecursionError:
        raise _Wrong("the nesting is too deep") from None
    except UnicodeDecodeError:
        raise _Wrong("this is not UTF-8") from None
    except ValueError as error:
        raise _Wrong(f"this is no JSON: {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Wrong(f"the key {twice[:80]!r} is there twice")
    return found


def _constant(name: str) -> Any:
    raise _Wrong(f"{name} is no number of JSON")


def _yaml(data: bytes, kind: str) -> Any:
    from gitops_model.manifest.nodes import compose
    from gitops_model.manifest.text import decode
    from gitops_model.manifest.typed import typed

    text, problems = decode(data)
    if text is not None:
        composed = compose(text)
        problems = composed.problems
        if composed.root is not None and not problems:
            return typed(composed.root, schema(kind), schema(kind))
    if not problems:
        raise _Wrong("the file is empty")
    first = problems[0]
    place = f"{first.line}:{first.column}: " if first.line else ""
    raise _Wrong(f"{place}{first.message}")


# --- values --------------------------------------------------------------------------------------------------------
@cache
def schema(kind: str) -> dict[str, Any]:
    """The published schema of requirements or of a target."""
    with open(os.path.join(os.path.dirname(__file__), f"{kind}.schema.json"), encoding="utf-8") as stream:
        return cast("dict[str, Any]", json.load(stream))


@cache
def validator(kind: str) -> "Validator":
    from jsonschema import Draft202012Validator, validators

    extend = cast(Any, validators).extend
    document = schema(kind)
    return extend(Draft202012Validator, {"pattern": _pattern, "items": _items})(_inlined(document, document["$defs"]))


def _inlined(part: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references (none leads back): looking one up costs more than checking what it stands for."""
    if isinstance(part, list):
        return [_inlined(item, definitions) for item in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    entries = cast("dict[str, Any]", part)
    name = entries.get("$ref")
    if isinstance(name, str):
        return _inlined(definitions[name.removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in entries.items() if key != "$defs"}


def _items(validator: Any, schema: object, instance: object, _: object) -> "Iterator[ValidationError]":
    """`items` that looks at each value once: the scan of a large library lists the same image a thousand times."""
    if not isinstance(instance, list):
        return
    seen: set[str] = set()
    for place, item in enumerate(cast("list[object]", instance)):
        key = json.dumps(item, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield from validator.descend(item, schema, path=place)


def _pattern(_: object, pattern: str, instance: object, __: object) -> "Iterator[ValidationError]":
    """`pattern` as ECMA-262 reads it: Python's `$` would also match before a line break at the end."""
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), instance, re.ASCII):
        yield ValidationError(f"{_short(instance)} does not match {pattern}")


def checked(document: object, kind: str, name: str | None = None) -> dict[str, Any]:
    """A plain copy of a document that its schema accepts; CouldNotRun names the places of those it does not."""
    where = f"{name}: " if name else ""
    try:
        copy = _plain(document, 0)
    except _Wrong as error:
        raise CouldNotRun(f"{where}this is no {_title(kind)}: {error}") from error
    errors = sorted(validator(kind).iter_errors(copy), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        texts = [_say(error) for error in errors[:MAX_SHOWN]]
        more = f" (and {len(errors) - MAX_SHOWN} more)" if len(errors) > MAX_SHOWN else ""
        raise CouldNotRun(
            f"{where}this is no {_title(kind)}: {'; '.join(texts)}{more}",
            f"compare with the schema {schema(kind)['$id']}",
        )
    return cast("dict[str, Any]", copy)


def _title(kind: str) -> str:
    return "GPU target" if kind == "target" else "set of GPU requirements"


def _plain(value: object, depth: int) -> Any:
    """JSON values only, finite numbers, bounded nesting: whoever calls from Python is checked like a file."""
    if depth > MAX_DEPTH:
        raise _Wrong("the nesting is too deep")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if value.bit_length() > 64:
            raise _Wrong("a number is too large")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Wrong(f"{value} is no number of JSON")
        return float(value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        return {_key(key): _plain(item, depth + 1) for key, item in entries.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in cast("Sequence[object]", value)]
    raise _Wrong(f"a {type(value).__name__} is no JSON value")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise _Wrong(f"the key {_short(key)} is no text")
    return key


def _say(error: "ValidationError") -> str:
    path = "/".join(map(str, error.absolute_path)) or "the document"
    part = cast("dict[str, Any]", error.schema)
    if error.validator == "additionalProperties":
        instance = cast("dict[str, Any]", error.instance)
        known: dict[str, Any] = part.get("properties", {})
        odd = next((key for key in instance if key not in known), "?")
        close = nearest(odd, known)
        return f"{path}: the key {_short(odd)} is not known" + (f"; did you mean {close!r}?" if close else "")
    if error.validator == "required":
        there = cast("dict[str, Any]", error.instance)
        absent = next((key for key in cast("list[str]", error.validator_value) if key not in there), "?")
        return f"{path} has no {absent!r}"
    expected = {"type": "type", "enum": "enum", "pattern": "pattern"}.get(str(error.validator))
    wanted = f", expected {_short(part.get(expected))}" if expected else f" ({error.validator})"
    return f"{path}: {_short(error.instance)}{wanted}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:119] + "…"
