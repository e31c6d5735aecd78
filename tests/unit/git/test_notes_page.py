"""docs/notes.md says what is written."""

import re

from support.wheel import ROOT

from gitops_model.git.notes import REF, TRACKING, canonical, join, parse_line

PAGE = (ROOT / "docs/notes.md").read_text(encoding="utf-8")


def test_the_line_on_the_page_is_canonical_and_has_a_row_for_each_key() -> None:
    (line,) = re.findall(r"```json\n(.*)\n```", PAGE)
    fields = parse_line(line)
    assert fields is not None
    assert canonical(fields) == line
    assert join([line]) == line.encode() + b"\n"
    rows = {name for cell in re.findall(r"(?m)^\| (`.*?) \|", PAGE) for name in re.findall(r"`(\w+)`", cell)}
    assert rows == set(fields) | {"optimizer"}


def test_the_refs_on_the_page() -> None:
    assert f"`{REF}`" in PAGE
    assert f"`{TRACKING}REMOTE`" in PAGE
