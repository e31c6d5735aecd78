"""What nodes of one operator with the same attributes have in common: found once, however many such nodes there are."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from gitops_model.diff.ops import meaning, newest
from gitops_model.diff.proof.call import Attr
from gitops_model.diff.proof.floats import packed
from gitops_model.diff.proof.table import op_key
from gitops_model.ir import Attribute, Graph, Node, Tensor


class Form(NamedTuple):
    """`attrs` are the attributes with defaults filled in, `given` the names of those that the file sets.

    `version` is the first one of the operator that means the same. `inputs` is the most that it may take (None: any
    number); `valid` says whether it may have these attributes: a converter may have left others behind.
    """

    op: str
    """The operation by its domain and name, without its version."""
    version: int
    attrs: Mapping[str, Attr]
    given: frozenset[str]
    inputs: int | None = None
    valid: bool = True


def form_of(node: Node, opset: int, own: Mapping[str, Attr]) -> Form:
    """The form of a node whose own attributes are `own`, under this import of its domain."""
    known = meaning(node.op_type, opset) if node.domain == "ai.onnx" else None
    given = frozenset(own)
    if known is None:
        return Form(op_key(node.domain, node.op_type, 0), opset, own, given)
    # An opset newer than the table may give an operator another meaning: it is equal to itself alone.
    version = known.version if opset <= newest() else opset
    attrs = {**defaults(node.op_type, opset), **own}
    return Form(op_key(node.domain, node.op_type, 0), version, attrs, given, known.inputs, given <= known.attributes)


@cache
def defaults(op: str, opset: int) -> Mapping[str, Attr]:
    """The defaults of an operator of the default domain, as attributes are held here; none for one not known."""
    known = meaning(op, opset)
    return {} if known is None else {name: packed(value) for name, value in known.defaults.items()}


def is_plain(attribute: Attribute) -> bool:
    """Whether the value of an attribute is the same wherever it stands."""
    return attribute.kind not in ("ref", "graphs", "tensors") and not isinstance(attribute.value, Graph | Tensor)
