"""What changed between two small mappings: opset imports, properties of the format, free metadata."""

from collections.abc import Mapping
from typing import TypeAlias

Fact: TypeAlias = str | int | None


def changes(before: Mapping[str, Fact], after: Mapping[str, Fact]) -> dict[str, tuple[Fact, Fact]]:
    """Key → (before, after) where they differ, in the order of the keys; None where a side has none."""
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }
