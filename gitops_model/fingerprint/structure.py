"""The digest of what a model computes, whatever its names, its order and (unless asked for) its weights.

The graph is hashed from its outputs backwards: a thing's hash covers what it is and where its results go. So equal
things that are used differently get different hashes, every thing that reaches an output gets a hash of its own, and
the sorted hashes say the whole wiring without a name (docs/format.md has the recipe and the reason).
"""

import gc
from typing import NamedTuple

from gitops_model.fingerprint.encode import text, u32
from gitops_model.fingerprint.flatten import AS_MEMBER, ROOT, FunctionKey, Things, flatten, use_bytes
from gitops_model.fingerprint.labels import CALL, Labels, TensorHash
from gitops_model.ir import Function, Graph, Model, Value

NO_HASH = bytes(32)
"""Stands for the user of a whole graph's outputs."""


class Ordered(NamedTuple):
    """Things with users before what they use; `circular` are those that have no such place."""

    things: Things
    order: list[int]
    circular: list[int]


class Body(NamedTuple):
    """A function without its names: what of its digest precedes the things, and the things."""

    key: FunctionKey
    head: bytes
    content: Ordered


class Plan(NamedTuple):
    """What both recipes hash, made once."""

    main: Ordered
    functions: list[Body]


def plan(model: Model, by_value: TensorHash) -> Plan:
    """Dissolve a model into things. Without a graph every tensor that is no training state is a constant."""
    collects = gc.isenabled()
    gc.disable()  # a million small tuples without a cycle: looking for one nearly doubles the time
    try:
        labels = Labels(by_value)
        functions = {key_of(function) for function in model.functions}
        main = alone(model, labels) if model.graph is None else flatten(model.graph, labels, functions)
        bodies = [
            Body(key_of(function), head_of(function, labels), in_order(flatten(body_of(function), labels, functions)))
            for function in model.functions
        ]
        return Plan(in_order(main), bodies)
    finally:
        if collects:
            gc.enable()


def alone(model: Model, labels: Labels) -> Things:
    """The things of a model without a graph."""
    things = Things()
    use = use_bytes(0, AS_MEMBER, 0)
    for tensor in model.tensors:
        if tensor.group != "optimizer":
            things.uses[things.add_constant(tensor, labels.constant(tensor))].append((ROOT, use))
    return things


def plan_digest(plan: Plan, recipe: str, weights: TensorHash | None = None) -> str:
    """`gm1-<recipe>:<hex>`. With `weights` constants count with their values."""
    from blake3 import blake3

    hasher = _Hasher(weights)
    bodies = hasher.functions(plan.functions)
    things = hasher.things(plan.main)
    out = blake3(f"gitops-model/{recipe}/1\0".encode())
    for group in (things, bodies):
        out.update(u32(len(group)) + b"".join(sorted(group)))
    return f"gm1-{recipe}:{out.hexdigest()}"


def key_of(function: Function) -> FunctionKey:
    return function.domain, function.name, function.overload


def body_of(function: Function) -> Graph:
    inputs = tuple(Value(name, None) for name in function.inputs)
    outputs = tuple(Value(name, None) for name in function.outputs)
    return Graph("", inputs, outputs, function.nodes, {})


def head_of(function: Function, labels: Labels) -> bytes:
    names = sorted(text(name) for name in function.attributes)
    defaults = sorted(map(labels.attribute, function.defaults))
    return u32(len(names)) + b"".join(names) + u32(len(defaults)) + b"".join(defaults)


def in_order(things: Things) -> Ordered:
    """Users first. The order among things that do not use one another does not show in any hash."""
    count = len(things.labels)
    sources: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for thing, uses in enumerate(things.uses):
        for user, _ in uses:
            if user != ROOT:
                sources[user].append(thing)
                missing[thing] += 1
    order = [thing for thing in range(count) if not missing[thing]]
    for user in order:  # grows while it is walked
        for thing in sources[user]:
            missing[thing] -= 1
            if not missing[thing]:
                order.append(thing)
    return Ordered(things, order, [thing for thing in range(count) if missing[thing]])


class _Hasher:
    """Hashes by one recipe; `bodies` are the digests of functions as far as they are known."""

    def __init__(self, weights: TensorHash | None) -> None:
        from blake3 import blake3

        self.blake3 = blake3
        self.weights = weights
        self.bodies: dict[FunctionKey, bytes] = {}

    def things(self, content: Ordered) -> list[bytes]:
        """The hash of every thing, in their order."""
        things = content.things
        hashes = [b""] * len(things.labels)
        hashes.append(NO_HASH)  # hashes[ROOT]
        labels = self._labels(things)
        blake3 = self.blake3
        for thing in content.order:
            uses = things.uses[thing]
            if len(uses) == 1:
                user, how = uses[0]
                hashes[thing] = blake3(labels[thing] + b"\1\0\0\0" + hashes[user] + how).digest()
            else:
                rows = [hashes[user] + how for user, how in uses]
                rows.sort()
                hashes[thing] = blake3(labels[thing] + u32(len(rows)) + b"".join(rows)).digest()
        if content.circular:
            self._break_circles(content, labels, hashes)
        hashes.pop()
        return hashes

    def _labels(self, things: Things) -> list[bytes]:
        if not things.calls and self.weights is None:
            return things.labels
        labels = list(things.labels)
        for thing, (domain, name, overload) in things.calls.items():
            body = self.bodies.get((domain, name, overload))
            if body is not None:
                labels[thing] = CALL + body + labels[thing]
            else:
                labels[thing] = b"gitops-model/node/1\0" + text(domain) + text(name) + text(overload) + labels[thing]
        if self.weights is not None:
            for thing, tensor in things.constants.items():
                labels[thing] += self.weights(tensor)
        return labels

    def _break_circles(self, content: Ordered, labels: list[bytes], hashes: list[bytes]) -> None:
        """What uses itself (no valid file has it): users without a hash count as what they are, unused."""
        known = list(hashes)
        for thing in content.circular:
            known[thing] = self.blake3(labels[thing] + u32(0)).digest()
        for thing in content.circular:
            rows = sorted(known[user] + how for user, how in content.things.uses[thing])
            hashes[thing] = self.blake3(labels[thing] + u32(len(rows)) + b"".join(rows)).digest()

    def functions(self, bodies: list[Body]) -> list[bytes]:
        """The digest of each body, those that are called first; in a circle the calls stay names."""
        defined: dict[FunctionKey, int] = {}
        callers: dict[FunctionKey, list[int]] = {}
        missing: list[int] = []
        for index, body in enumerate(bodies):
            defined[body.key] = defined.get(body.key, 0) + 1
            called = set(body.content.things.calls.values())
            missing.append(len(called))
            for key in called:
                callers.setdefault(key, []).append(index)
        found = [b""] * len(bodies)
        ready = [index for index in range(len(bodies)) if not missing[index]]
        for index in ready:  # grows while it is walked
            key = bodies[index].key
            found[index] = self._define(bodies[index])
            defined[key] -= 1
            if not defined[key]:
                for caller in callers.get(key, ()):
                    missing[caller] -= 1
                    if not missing[caller]:
                        ready.append(caller)
        circular = [index for index in range(len(bodies)) if not found[index]]
        digests = [self._body(bodies[index]) for index in circular]
        for index, digest in zip(circular, digests, strict=True):
            found[index] = digest
            self._keep(bodies[index].key, digest)
        return found

    def _define(self, body: Body) -> bytes:
        digest = self._body(body)
        self._keep(body.key, digest)
        return digest

    def _keep(self, key: FunctionKey, digest: bytes) -> None:
        """A name defined twice stands for its lesser digest, so that the order of definitions does not count."""
        self.bodies[key] = min(digest, self.bodies.get(key, digest))

    def _body(self, body: Body) -> bytes:
        hashes = sorted(self.things(body.content))
        return self.blake3(b"gitops-model/function/1\0" + body.head + u32(len(hashes)) + b"".join(hashes)).digest()
