"""A document as YAML that every loader reads alike: small things on one line, texts in quotes where they need any."""

from collections.abc import Iterator
from typing import Any, cast

from gitops_model.manifest.write import scalar
from gitops_model.render import Look

WIDTH = 110


def render(document: dict[str, Any], _: Look) -> str:
    text = "".join(f"{line}\n" for line in _mapping(document))
    # Signs that a runner of GitHub Actions would take for a command stand in double quotes, where this is the same.
    return text.replace("##[", "#\\x23[")


def _mapping(entries: dict[str, Any]) -> Iterator[str]:
    for key, value in entries.items():
        head = f"{scalar(key)}:"
        flat = _flat(value)
        if len(head) + len(flat) < WIDTH or not isinstance(value, dict | list):
            yield f"{head} {flat}"
            continue
        yield head
        yield from (f"  {line}" for line in _block(value))


def _block(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _mapping(cast("dict[str, Any]", value))
        return
    for item in cast("list[Any]", value):
        flat = _flat(item)
        if len(flat) < WIDTH or not isinstance(item, dict | list):
            yield f"- {flat}"
            continue
        for number, line in enumerate(_block(item)):
            yield f"{'  ' if number else '- '}{line}"


def _flat(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, dict):
        inside = cast("dict[str, Any]", value)
        return "{" + ", ".join(f"{scalar(key)}: {_flat(item)}" for key, item in inside.items()) + "}"
    return "[" + ", ".join(map(_flat, value)) + "]"
