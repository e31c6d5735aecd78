"""What a script may do with the JSON of `show` and `diff`: the description of the new model from that of the old one.

Written from the published schemas alone, so that it fails where a document leaves something out.
"""

from collections import Counter
from typing import Any

Json = dict[str, Any]

FACTS = ("opset", "properties", "metadata")
DIGESTS = ("weights", "structure", "signature", "optimizer")
TENSOR = ("name", "dtype", "shape", "nbytes", "digest")


def told(shown: Json) -> Json:
    """The part of what `show` prints that a diff is about, the tensors in an order that does not depend on the file."""
    found = {name: shown[name] for name in ("format", "inputs", "outputs", "graph", *FACTS, *DIGESTS)}
    return found | {"tensors": ordered([key(tensor) for tensor in shown["tensors"]])}


def rebuilt(shown: Json, diff: Json) -> Json:
    """`told` of the new model, from `show` of the old one and the diff."""
    found: Json = {"format": diff["formats"]["after"]}
    for name in DIGESTS:
        found[name] = diff["digests"][name]["after"] or None if name in diff["digests"] else shown[name]
    for name in ("inputs", "outputs"):
        found[name] = values(shown[name], diff["signature"][name])
    for name in FACTS:
        found[name] = entries(shown[name], diff[name])
    ops = {op: count for op, count in entries(shown["graph"]["ops"], diff["graph"]["ops"]).items() if count}
    found["graph"] = {"nodes": diff["graph"]["nodes"]["after"], "ops": ops}
    found["tensors"] = tensors(shown["tensors"], diff["weights"])
    return found


def entries(old: Json, changes: Json) -> Json:
    new = old | {name: sides["after"] for name, sides in changes.items()}
    return {name: value for name, value in new.items() if value is not None}


def values(old: list[Json], changes: list[Json]) -> list[Json]:
    gone = {change["place"]["before"] for change in changes}
    new = [value for place, value in enumerate(old) if place not in gone]
    come = {change["place"]["after"]: change["after"] for change in changes if change["after"] is not None}
    for place in sorted(come):
        new.insert(place, come[place])
    return new


def tensors(old: list[Json], weights: Json) -> list[tuple[Any, ...]]:
    counts = Counter(key(tensor) for tensor in old)
    for tensor in weights["removed"]:
        counts[key(tensor)] -= 1
    for tensor in weights["added"]:
        counts[key(tensor)] += 1
    for tensor in weights["renamed"]:
        counts[key(tensor | {"name": tensor["from"]})] -= 1
        counts[key(tensor)] += 1
    for change in (*weights["changed"], *weights["not_compared"]):
        counts[key(change["before"])] -= 1
        counts[key(change["after"])] += 1
    assert min(counts.values(), default=0) >= 0
    return ordered(list(counts.elements()))


def key(tensor: Json) -> tuple[Any, ...]:
    return tuple(tuple(tensor[name]) if name == "shape" else tensor[name] for name in TENSOR)


def ordered(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(found, key=repr)
