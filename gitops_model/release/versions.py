"""Semantic Version 2.0.0: reading, and precedence (semver.org, item 11)."""

import re
from typing import NamedTuple, Self

_PART = r"(?:0|[1-9][0-9]*)"
_PRE = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = rf"{_PART}\.{_PART}\.{_PART}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
"""A whole version as a regular expression without groups."""

RELEASE = rf"{_PART}\.{_PART}\.{_PART}(?:-rc\.[1-9][0-9]*)?"
"""The versions that are tagged: X.Y.Z, and its candidates X.Y.Z-rc.N with N from 1."""

LONGEST = 200


class Version(NamedTuple):
    """`pre` are the identifiers after the hyphen, `build` the text after the plus, which counts for nothing."""

    core: tuple[int, int, int]
    pre: tuple[str, ...] = ()
    build: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        if len(text) > LONGEST or not re.fullmatch(SEMVER, text, re.ASCII):
            return None
        rest, _, build = text.partition("+")
        core, _, pre = rest.partition("-")
        major, minor, patch = map(int, core.split("."))
        return cls((major, minor, patch), tuple(pre.split(".")) if pre else (), build)

    def __str__(self) -> str:
        return f"{self.base}{'-' + '.'.join(self.pre) if self.pre else ''}{'+' + self.build if self.build else ''}"

    @property
    def base(self) -> str:
        """X.Y.Z"""
        return ".".join(map(str, self.core))

    @property
    def is_final(self) -> bool:
        return not self.pre

    @property
    def precedence(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        """What compares as versions do: numbers below words, fewer identifiers below more, prereleases below X.Y.Z."""
        ranks = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in self.pre)
        return self.core, not self.pre, ranks
