"""The digest of what a model computes, whatever its names, its order and (unless asked for) its weights.

The graph is hashed from its outputs backwards: a thing's hash covers what it is and where its results go. So equal
things that are used differently get different hashes, every thing that reaches an output gets a hash of its own, and
the sorted hashes say the whole wiring without a name (docs/format.md has the recipe and the reason).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gitops_model.fingerprint.constants import Constant, plain_tensor
from gitops_model.fingerprint.encode import dims, text, u32
from gitops_model.fingerprint.flatten import MEMBER, ROOT, Kind, Things, Use, flatten, formal_inputs
from gitops_model.ir import Attribute, Function, Graph, Model, Node, OtherType, Tensor

FunctionKey = tuple[str, str, str]
"""Domain, name, overload."""

TensorHash = Callable[[Tensor], bytes]
"""The 32-byte digest of a tensor."""

NO_HASH = bytes(32)
"""Stands for the user of a whole graph's outputs."""


@dataclass(slots=True)
class Plan:
    """What both recipes hash: the things of the main graph and of each function's body."""

    main: Things
    functions: list[tuple[Function, Things]]


def plan(model: Model) -> Plan:
    """Dissolve a model into things. Without a graph every tensor that is no training state is a constant."""
    if model.graph is None:
        main = Things()
        for tensor in model.tensors:
            if tensor.group != "optimizer":
                main.uses[main.add(Constant(tensor))].append(Use(ROOT, 0, MEMBER, 0))
    else:
        graph = model.graph
        main = flatten(
            tuple(item.name for item in formal_inputs(graph)),
            tuple(item.name for item in graph.outputs),
            graph.nodes,
            graph.initializers,
        )
    bodies = [(item, flatten(item.inputs, item.outputs, item.nodes)) for item in model.functions]
    return Plan(main, bodies)


def plan_digest(plan: Plan, recipe: str, by_value: TensorHash, weights: TensorHash | None = None) -> str:
    """`gm1-<recipe>:<hex>`. `by_value` hashes attribute tensors; with `weights` constants count with their values."""
    from blake3 import blake3

    hasher = _Hasher(by_value, weights, {item_key(item) for item, _ in plan.functions})
    bodies = hasher.functions(plan.functions)
    things = hasher.things(plan.main)
    out = blake3(f"gitops-model/{recipe}/1\0".encode())
    for group in (things, bodies):
        out.update(u32(len(group)) + b"".join(sorted(group)))
    return f"gm1-{recipe}:{out.hexdigest()}"


def item_key(function: Function) -> FunctionKey:
    return function.domain, function.name, function.overload


def node_key(node: Node) -> FunctionKey:
    return node.domain, node.op_type, node.overload


class _Hasher:
    def __init__(self, by_value: TensorHash, weights: TensorHash | None, names: set[FunctionKey]) -> None:
        from blake3 import blake3

        self.blake3 = blake3
        self.by_value = by_value
        self.weights = weights
        self.names = names
        self.bodies: dict[FunctionKey, bytes] = {}
        self.encoded: dict[int, bytes] = {}

    # --- functions --------------------------------------------------------------------------------------------------
    def functions(self, functions: list[tuple[Function, Things]]) -> list[bytes]:
        """The digest of each body, those that are called first; in a cycle the calls stay names."""
        calls = [
            {node_key(what) for what in things.what if isinstance(what, Node)} & self.names for _, things in functions
        ]
        found: list[bytes] = []
        left = list(range(len(functions)))
        waiting: dict[FunctionKey, list[int]] = {}
        missing = [len(keys) for keys in calls]
        defined: dict[FunctionKey, int] = {}
        for index, keys in enumerate(calls):
            for key in keys:
                waiting.setdefault(key, []).append(index)
            key = item_key(functions[index][0])
            defined[key] = defined.get(key, 0) + 1
        ready = [index for index in left if not missing[index]]
        done: set[int] = set()
        while ready:
            index = ready.pop()
            done.add(index)
            key = item_key(functions[index][0])
            found.append(self._define(key, self._body(*functions[index])))
            defined[key] -= 1
            if not defined[key]:
                for caller in waiting.get(key, ()):
                    missing[caller] -= 1
                    if not missing[caller]:
                        ready.append(caller)
        cyclic = [index for index in left if index not in done]
        digests = [self._body(*functions[index]) for index in cyclic]
        for index, digest in zip(cyclic, digests, strict=True):
            found.append(self._define(item_key(functions[index][0]), digest))
        return found

    def _define(self, key: FunctionKey, digest: bytes) -> bytes:
        """A name defined twice stands for its lesser digest, so that the order of definitions does not count."""
        self.bodies[key] = min(digest, self.bodies.get(key, digest))
        return digest

    def _body(self, function: Function, things: Things) -> bytes:
        names = sorted(text(name) for name in function.attributes)
        defaults = sorted(self._attribute(item) for item in function.defaults)
        hashes = sorted(self.things(things))
        return self.blake3(
            b"gitops-model/function/1\0"
            + u32(len(names))
            + b"".join(names)
            + u32(len(defaults))
            + b"".join(defaults)
            + u32(len(hashes))
            + b"".join(hashes)
        ).digest()

    # --- things -----------------------------------------------------------------------------------------------------
    def things(self, things: Things) -> list[bytes]:
        """The hash of every thing, users first."""
        count = len(things.what)
        hashes: list[bytes] = [b""] * count
        sources: list[list[int]] = [[] for _ in range(count)]
        missing = [0] * count
        for thing, uses in enumerate(things.uses):
            for use in uses:
                if use.user != ROOT:
                    sources[use.user].append(thing)
                    missing[thing] += 1
        ready = [thing for thing in range(count) if not missing[thing]]
        hashes.append(NO_HASH)  # hashes[ROOT]
        while ready:
            thing = ready.pop()
            hashes[thing] = self._thing(things.what[thing], things.uses[thing], hashes)
            for source in sources[thing]:
                missing[source] -= 1
                if not missing[source]:
                    ready.append(source)
        hashes.pop()
        self._break_cycles(things, hashes)
        return hashes

    def _break_cycles(self, things: Things, hashes: list[bytes]) -> None:
        """What only a cycle uses (no valid file has it): users without a hash count as what they are, unused."""
        left = [thing for thing, found in enumerate(hashes) if not found]
        if not left:
            return
        known = [*hashes, NO_HASH]
        for thing in left:
            known[thing] = self._thing(things.what[thing], [], hashes)
        for thing in left:
            hashes[thing] = self._thing(things.what[thing], things.uses[thing], known)

    def _thing(self, what: Node | Constant | Kind, uses: list[Use], hashes: list[bytes]) -> bytes:
        if isinstance(what, Node):
            label = self._node(what)
        elif isinstance(what, Constant):
            label = self._constant(what)
        else:
            label = b"gitops-model/" + what.word.encode() + b"/1\0"
        rows = [
            hashes[user]
            + output.to_bytes(4, "little")
            + kind.to_bytes(1, "little")
            + slot.to_bytes(4, "little")
            + text(attribute)
            + index.to_bytes(4, "little")
            for user, output, kind, slot, attribute, index in uses
        ]
        rows.sort()
        return self.blake3(label + u32(len(rows)) + b"".join(rows)).digest()

    def _constant(self, what: Constant) -> bytes:
        tensor = what.tensor
        label = (
            b"gitops-model/constant/1\0"
            + (b"\1" if what.is_sparse else b"\0")
            + text(tensor.dtype)
            + text(dims(tensor.shape))
        )
        return label if self.weights is None else label + self.weights(tensor)

    def _node(self, node: Node) -> bytes:
        attributes = sorted(map(self._attribute, node.attributes))
        body = self.bodies.get(node_key(node)) if self.names else None
        if body is not None:
            label = b"gitops-model/call/1\0" + body
        else:
            label = b"gitops-model/node/1\0" + text(node.domain) + text(node.op_type) + text(node.overload)
        return label + _presence(node.inputs) + _presence(node.outputs) + u32(len(attributes)) + b"".join(attributes)

    def _attribute(self, attribute: Attribute) -> bytes:
        """Readers share equal attributes, so they are remembered by identity; the model keeps them alive."""
        found = self.encoded.get(id(attribute))
        if found is None:
            found = self.encoded[id(attribute)] = self._encode(attribute)
        return found

    def _encode(self, attribute: Attribute) -> bytes:
        name, kind, value = attribute
        head = text(name) + text(kind)
        if isinstance(value, Tensor):
            return head + self.by_value(value)
        if isinstance(value, Graph | OtherType):
            return head + self._item(value)
        if kind == "ref":
            assert isinstance(value, bytes)
            return head + text(value)
        plain = plain_tensor(kind, value)
        if plain is not None:
            return head + self.blake3(plain).digest()
        assert isinstance(value, tuple)
        return head + u32(len(value)) + b"".join(map(self._item, value))

    def _item(self, value: object) -> bytes:
        if isinstance(value, Tensor):
            return self.by_value(value)
        if isinstance(value, Graph):
            return u32(len(formal_inputs(value))) + u32(len(value.outputs))
        assert isinstance(value, OtherType)
        return text(value.text)


def _presence(names: Iterable[str]) -> bytes:
    """A byte for each input or output: 1 given, 0 omitted; those omitted at the end do not count."""
    flags = bytes(map(bool, names)).rstrip(b"\0")
    return u32(len(flags)) + flags
