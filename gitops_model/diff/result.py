"""The shapes of a diff: what goes in (`Side`) and what comes out (`ModelDiff`). Data only."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gitops_model.diff.measured import Layer, Pattern, Statistics
from gitops_model.diff.prefix import Prefix
from gitops_model.ir import Model, OtherType, Tensor, TensorType, Value

if TYPE_CHECKING:
    from gitops_model.diff.probe import Probe
    from gitops_model.readers.bytes import TensorBytes


Plain: TypeAlias = "int | float | str | list[Plain] | None"
"""An attribute's value as it is shown: a number, a text, a list of them; a tensor as its type."""


class Side(NamedTuple):
    """One of two models: its description, and the digests of what it describes.

    `digests` holds the digest of each of `model.tensors`, in that order; None where its bytes cannot be had.
    `weights`, `structure`, `signature`, `optimizer` are the prefixed digests (docs/format.md), "" where there is none
    or it is not known. `constants` has the digests of the tensors in attributes that are no weights.
    """

    model: Model
    digests: tuple[str | None, ...]
    weights: str = ""
    structure: str = ""
    signature: str = ""
    optimizer: str = ""
    constants: Mapping[Tensor, str] = MappingProxyType({})
    data: "TensorBytes | None" = None
    """The bytes behind the tensors, for what digests do not tell; None where they cannot be had."""


class Limits(NamedTuple):
    """What `target`, which somebody declared to run the model with, loads at most: the opset of ai.onnx and the IR
    version; None where that is not known."""

    target: str
    opset: int | None = None
    ir_version: int | None = None


class Verdict(NamedTuple):
    """`kind` and `bump` as docs/diff.md defines them; `equivalent` only if it was proved; why, in sentences."""

    kind: str = "identical-model"
    bump: str = "none"
    equivalent: bool = False
    reasons: tuple[str, ...] = ()


class ValueChange(NamedTuple):
    """An input or output that changed.

    `change`: added, removed, renamed, type, rank, shape or order. `grade`: noise (callers cannot tell), annotation
    (the file says more or less about the same thing) or real. `bump` is what it alone asks for, and `reason` why.
    `places` are its places among the values before and after, counted from 0; None where it is not there. What stands
    at no place of a change is the same on both sides and in the same order.
    """

    name: str
    change: str
    grade: str
    before: Value | None
    after: Value | None
    bump: str
    reason: str
    places: "tuple[int | None, int | None]" = (None, None)


class SignatureDiff(NamedTuple):
    """`stated`: whether each side says at all what it takes and gives; a file of weights does not."""

    inputs: tuple[ValueChange, ...] = ()
    outputs: tuple[ValueChange, ...] = ()
    stated: tuple[bool, bool] = (True, True)


class NodePlace(NamedTuple):
    """A node by its own name, and the path of subgraphs or the function that it is in ("" for the graph itself)."""

    name: str
    where: str


class AttributeChange(NamedTuple):
    """Numbers, texts and lists as they are (long ones cut), a tensor as its type; None where there is none."""

    name: str
    before: "Plain"
    after: "Plain"


class NodeChange(NamedTuple):
    """`number` nodes of one operation. `op_type` of another domain than ai.onnx is written `DOMAIN:OP`.

    `nodes` says which. One that is `changed` stands by itself, with the attributes that differ and the places of the
    inputs that come from elsewhere.
    """

    op_type: str
    number: int
    nodes: tuple[NodePlace, ...] = ()
    attributes: tuple[AttributeChange, ...] = ()
    inputs: tuple[int, ...] = ()


class Rewrite(NamedTuple):
    """A known way to write the same thing: `number` times, and whether its numbers are `exact` or `rounded`."""

    pattern: str
    number: int
    numeric: str


class Box(NamedTuple):
    """An operation, or an input or output of the graph, as it is drawn.

    `kind`: operation, input or output. `fate`: added, removed, changed or kept (it stands beside one that changed).
    `place` numbers the place that it belongs to. `attributes` and `inputs` say what changed in it, as in NodeChange.
    """

    kind: str
    fate: str
    op_type: str
    name: str
    where: str
    place: int
    attributes: tuple[AttributeChange, ...] = ()
    inputs: tuple[int, ...] = ()


class Edge(NamedTuple):
    """Box number `source` feeds box number `target`. `fate`: added, removed or kept."""

    source: int
    target: int
    fate: str


class Neighbourhood(NamedTuple):
    """Where the graph changed (neighbourhood.py). Of `operations` that changed, in `places` that do not touch each
    other, `boxes` shows some; `alike` says of each place that is shown how many more look like it. `edges_left` more
    edges are between the boxes."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    operations: int
    places: int
    alike: tuple[int, ...]
    edges_left: int = 0


class GraphDiff(NamedTuple):
    """`ops` has how many nodes each operation has, before and after, where that differs; `nodes` how many all have."""

    added: tuple[NodeChange, ...] = ()
    removed: tuple[NodeChange, ...] = ()
    changed: tuple[NodeChange, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    nodes: tuple[int, int] = (0, 0)
    ops: Mapping[str, tuple[int, int]] = MappingProxyType({})
    neighbourhood: Neighbourhood | None = None


class TensorFact(NamedTuple):
    """A tensor as a diff shows it; `digest` is bare hex, None where its bytes cannot be had."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int
    digest: str | None


class TensorChange(NamedTuple):
    """The tensor `name`, one side None where it was added or removed. One that was renamed has two names."""

    before: TensorFact | None
    after: TensorFact | None
    statistics: Statistics | None = None
    """How much it changed; None where that was not measured."""

    @property
    def name(self) -> str:
        fact = self.after or self.before
        return fact.name if fact else ""

    @property
    def old_name(self) -> str | None:
        """What it was called before, where that was another name."""
        was = self.before.name if self.before is not None and self.after is not None else self.name
        return was if was != self.name else None


class WeightsDiff(NamedTuple):
    """Tensors by fate. Those of `unchanged` and `renamed` hold the same content; `unknown` could not be compared.

    One that changed may have another name, too. `prefix` is what nearly all names got, lost or changed.
    """

    changed: tuple[TensorChange, ...] = ()
    added: tuple[TensorChange, ...] = ()
    removed: tuple[TensorChange, ...] = ()
    renamed: tuple[TensorChange, ...] = ()
    unchanged: int = 0
    unknown: tuple[TensorChange, ...] = ()
    totals: tuple[int, int] = (0, 0)
    nbytes: tuple[int, int] = (0, 0)
    common_nbytes: int = 0
    layers: tuple[Layer, ...] = ()
    """Every layer of both models, those that did not change as well."""
    patterns: tuple[Pattern, ...] = ()
    prefix: Prefix | None = None

    def is_prefixed(self, change: TensorChange) -> bool:
        """Whether the prefix alone is what is new in its name."""
        if self.prefix is None or change.before is None or change.old_name is None:
            return False
        return self.prefix.renamed(change.before.name) == change.name


class TextDiff(NamedTuple):
    """Two texts line by line. `lines` is a unified diff (`@@ … @@`, and lines that begin with a blank, - or +), of
    which `left_out` more lines are not here; `added` and `removed` count all. `note` says why there is no such diff."""

    lines: tuple[str, ...]
    added: int
    removed: int
    left_out: int = 0
    note: str = ""


class ModelDiff(NamedTuple):
    formats: tuple[str, str]
    signature: SignatureDiff
    graph: GraphDiff
    opset: dict[str, tuple[str | int | None, str | int | None]]
    properties: dict[str, tuple[str | int | None, str | int | None]]
    metadata: dict[str, tuple[str | int | None, str | int | None]]
    weights: WeightsDiff
    digests: dict[str, tuple[str, str]]
    verdict: Verdict = Verdict()
    texts: Mapping[str, TextDiff] = MappingProxyType({})
    """Of the metadata, the long texts that changed (texts.py)."""
    probe: "Probe | None" = None
    """What running both gave; None where nobody asked for it."""


def type_text(kind: TensorType | OtherType | None) -> str:
    """`float32[2,batch,?]`; `float32[...]` where the rank is not known; `?` where nothing is."""
    if kind is None:
        return "?"
    if isinstance(kind, OtherType):
        return kind.text
    if kind.shape is None:
        return f"{kind.dtype}[...]"
    return f"{kind.dtype}[{','.join('?' if dim is None else str(dim) for dim in kind.shape)}]"
