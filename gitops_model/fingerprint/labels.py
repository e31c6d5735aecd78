"""What a thing of a graph is, in bytes, without its name: the first part of what is hashed for it."""

from collections.abc import Callable

from gitops_model.fingerprint.constants import plain_tensor
from gitops_model.fingerprint.encode import dims, text, u32, without_symbols
from gitops_model.ir import Attribute, Graph, Node, OtherType, Sparse, Tensor, Value

TensorHash = Callable[[Tensor], bytes]
"""The 32-byte digest of a tensor."""

INPUT = b"gitops-model/input/1\0"
UNDEFINED = b"gitops-model/undefined/1\0"
SEVERAL = b"gitops-model/several/1\0"
CALL = b"gitops-model/call/1\0"


class Labels:
    """Makes labels. `by_value` hashes the tensors in attributes, which belong to the structure."""

    def __init__(self, by_value: TensorHash) -> None:
        from blake3 import blake3

        self._blake3 = blake3
        self._by_value = by_value
        self._attributes: dict[int, bytes] = {}
        self._heads: dict[tuple[str, str, str], bytes] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bool], bytes] = {}

    def constant(self, tensor: Tensor) -> bytes:
        key = tensor.dtype, tensor.shape, isinstance(tensor.data, Sparse)
        found = self._constants.get(key)
        if found is None:
            dtype, shape, is_sparse = key
            kind = b"\1" if is_sparse else b"\0"
            found = self._constants[key] = b"gitops-model/constant/1\0" + kind + text(dtype) + text(dims(shape))
        return found

    def node(self, node: Node, *, is_call: bool = False) -> bytes:
        """The label of a node; of a call only what follows the digest of what is called."""
        op_type, domain, _, inputs, outputs, attributes, overload = node
        ports = presence(inputs) + presence(outputs)
        if attributes:
            listed = sorted(map(self.attribute, attributes))
            ports += u32(len(listed)) + b"".join(listed)
        else:
            ports += b"\0\0\0\0"
        if is_call:
            return ports
        key = domain, op_type, overload
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = b"gitops-model/node/1\0" + text(domain) + text(op_type) + text(overload)
        return head + ports

    def attribute(self, attribute: Attribute) -> bytes:
        """Readers share equal attributes, so they are remembered by identity; the model keeps them alive."""
        found = self._attributes.get(id(attribute))
        if found is None:
            found = self._attributes[id(attribute)] = self._encode(attribute)
        return found

    def _encode(self, attribute: Attribute) -> bytes:
        name, kind, value = attribute
        head = text(name) + text(kind)
        if isinstance(value, Tensor | Graph | OtherType):
            return head + self._item(value)
        if kind == "ref":
            assert isinstance(value, bytes)
            return head + text(value)
        plain = plain_tensor(kind, value)
        if plain is not None:
            return head + self._blake3(plain).digest()
        assert isinstance(value, tuple)
        return head + u32(len(value)) + b"".join(map(self._item, value))

    def _item(self, value: object) -> bytes:
        if isinstance(value, Tensor):
            return self._by_value(value)
        if isinstance(value, Graph):
            return u32(len(formal_inputs(value))) + u32(len(value.outputs))
        assert isinstance(value, OtherType)
        return text(without_symbols(value.text, {}))


def formal_inputs(graph: Graph) -> tuple[Value, ...]:
    """The inputs that no initializer fills."""
    return tuple(item for item in graph.inputs if item.name not in graph.initializers)


def presence(names: tuple[str, ...]) -> bytes:
    """A byte for each input or output: 1 given, 0 omitted; those omitted at the end do not count."""
    if "" not in names and len(names) < len(_ALL_GIVEN):
        return _ALL_GIVEN[len(names)]
    flags = bytes(map(bool, names)).rstrip(b"\0")
    return u32(len(flags)) + flags


_ALL_GIVEN = [u32(count) + b"\1" * count for count in range(16)]
