"""A manifest as YAML text that every loader reads alike: whatever could be taken for something else is in quotes."""

import re
from collections.abc import Iterable, Mapping

from gitops_model.ir import Dim

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*", re.ASCII)
_SPECIAL = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that YAML 1.1 turns into truth values or null, in any case."""


def scalar(text: str) -> str:
    """Text, in double quotes unless it is plainly a word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL:
        return text
    if text.isprintable() and not re.search("[\x7f-\xa0\ud800-\udfff\ufeff]", text):
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    """A letter of a double-quoted text. Unlike in JSON, two `\\u` escapes never make one letter."""
    if letter in '"\\':
        return "\\" + letter
    code = ord(letter)
    if 0x20 <= code < 0x7F:
        return letter
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shape(dims: Iterable[Dim] | None) -> str:
    """`[1, batch, null]`, or null where the rank is not known."""
    if dims is None:
        return "null"
    return (
        "["
        + ", ".join("null" if dim is None else str(dim) if isinstance(dim, int) else scalar(dim) for dim in dims)
        + "]"
    )


def manifest(
    *,
    name: str,
    version: str,
    architecture: Iterable[str],
    checksums: Mapping[str, Mapping[str, str]],
    inputs: Mapping[str, str] | None,
    outputs: Mapping[str, str] | None,
) -> str:
    """The text of a first manifest. Values of `inputs` and `outputs` are YAML already: `{dtype: …, shape: …}`."""
    lines = [
        f"name: {scalar(name)}",
        f"version: {version}",
        f"architecture: [{', '.join(architecture)}]",
        "checksums:",
    ]
    for path, digests in checksums.items():
        lines.append(f"  {scalar(path)}:")
        lines += [f"    {algorithm}: {digest}" for algorithm, digest in digests.items()]
    for key, values in (("inputs", inputs), ("outputs", outputs)):
        if values is not None:
            lines.append(f"{key}:" if values else f"{key}: {{}}")
            lines += [f"  {scalar(value)}: {text}" for value, text in values.items()]
    return "\n".join(lines) + "\n"
