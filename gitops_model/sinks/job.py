"""What a step of a GitHub Actions job leaves behind: its summary and its outputs (files that the runner names)."""

import os
import re

SUMMARY_LIMIT = 1 << 20
"""Bytes of one step's summary; GitHub shows none at all of a longer one."""

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def append_summary(path: str, text: str) -> None:
    """Add Markdown to the summary, if there is room for it."""
    data = text.encode("utf-8", "backslashreplace")
    size = os.path.getsize(path) if os.path.exists(path) else 0
    if size + len(data) < SUMMARY_LIMIT:
        with open(path, "ab") as stream:
            stream.write(data)


def write_outputs(path: str, values: dict[str, str]) -> None:
    """Add `name=value` lines; a value is one line, whatever it was made from."""
    lines: list[str] = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        plain = re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]", " ", value)
        lines.append(f"{name}={plain}\n")
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write("".join(lines))
