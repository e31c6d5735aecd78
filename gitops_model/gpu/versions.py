"""Versions as tuples, and ranges of them for what is known only to lie between two table rows.

`parse("550.54.15")` is (550, 54, 15). Zeros at the end do not count (12.0 equals 12), zeros in front neither (the
driver 470.57.02 is (470, 57, 2)); nothing here is a float, so 12.10 comes after 12.9.
"""

import re
from typing import NamedTuple, TypeAlias

Version: TypeAlias = tuple[int, ...]

_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}", re.ASCII)


def parse(text: str) -> Version:
    """The version, or ValueError for anything else than dotted decimal numbers."""
    if not _VERSION.fullmatch(text):
        raise ValueError(f"{text!r} is not a version")
    numbers = [int(part) for part in text.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def show(version: Version) -> str:
    """`12.0`, never `12`: CUDA versions, ISAs and capabilities all have two parts."""
    return ".".join(map(str, version if len(version) > 1 else (*version, 0)))


class Range(NamedTuple):
    """A version between `low` and `high`, both included; None is unbounded. Equal bounds: the version is known."""

    low: Version | None
    high: Version | None

    @property
    def known(self) -> Version | None:
        return self.low if self.low == self.high else None

    def at_least(self, version: Version) -> bool | None:
        """Whether it is `version` or newer; None where the range does not say."""
        if self.low is not None and self.low >= version:
            return True
        if self.high is not None and self.high < version:
            return False
        return None

    def allows(self, version: Version) -> bool:
        """Whether it may be `version`."""
        return (self.low is None or self.low <= version) and (self.high is None or version <= self.high)

    def __str__(self) -> str:
        if self.known is not None:
            return show(self.known)
        low = "" if self.low is None else f"{show(self.low)} or newer"
        high = "" if self.high is None else f"at most {show(self.high)}"
        return ", ".join(filter(None, (low, high))) or "unknown"


ANY = Range(None, None)


def between(rows: list[tuple[Version, Version]], key: Version) -> Range:
    """What a rising table says of `key`: its row, or the values of the rows around it."""
    low = high = None
    for row, value in rows:
        if row == key:
            return Range(value, value)
        if row < key:
            low = value
        elif high is None:
            high = value
    return Range(low, high)
