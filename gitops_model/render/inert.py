"""Text from files is attacker text: these functions make it harmless for the place where it will stand."""

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""C0 and C1 controls, and what Unicode uses to reorder or hide text (UAX #9 and the tag block)."""


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def for_terminal(text: str) -> str:
    """Keep newlines and tabs of our own; everything that steers a terminal or reorders text is spelled out."""
    return _CONTROL.sub(_escape, text.encode("utf-8", "backslashreplace").decode())


def one_line(text: str, limit: int = 200) -> str:
    """A name in running text or in a cell: no line breaks, at most `limit` characters."""
    flat = for_terminal(text).replace("\n", "\\n").replace("\t", "\\t")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
