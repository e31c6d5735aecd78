"""How much device memory a model takes: its weights, and the values that are alive at the same time.

The estimate walks the nodes in the order of the file and keeps a value from the node that makes it to the last that
reads it. A runtime may order and share better, and its arena rounds up; a body of a loop counts once. What has no size
is named, and then there is no estimate: the size of an open dimension must be stated (`runtime.batch` and
`runtime.dimensions` of the manifest).
"""

from collections.abc import Iterable
from typing import NamedTuple

from gitops_model.gpu.onnx_values import Inferred, Plan, Values, elements, numbered, subgraphs
from gitops_model.ir import ELEMENT_BITS, Graph, Model, tensor_bytes

MIB = 1 << 20
CONTEXT_MIB = 600
"""CUDA context with the libraries of a runtime: 300 to 600 MiB are reported; the upper end."""
WORKSPACE_MIB = 32
"""cuBLAS takes 32 MiB of workspace on compute capability 9.0 and less elsewhere (cublasSetWorkspace)."""
MAX_UNSIZED = 8


class Memory(NamedTuple):
    """Bytes of weights, and of activations with inputs and outputs; None where `unsized` values have no size."""

    weights: int
    activations: int | None
    unsized: tuple[str, ...]


def mib_of(memories: Iterable[Memory]) -> int | None:
    """All that one process takes of a device in MiB, when it holds these models at once; None where that is open."""
    total = 0
    for memory in memories:
        if memory.activations is None:
            return None
        total += memory.weights + memory.activations
    return -(-total // MIB) + CONTEXT_MIB + WORKSPACE_MIB


def weights_of(model: Model) -> int:
    return sum(tensor.nbytes for tensor in model.tensors if not tensor.group)


def memory_of(model: Model, plan: Plan, inferred: Inferred = ()) -> Memory:
    """The estimate for the sizes of `plan`."""
    weights = weights_of(model)
    if model.graph is None:
        return Memory(weights, None, ("all values: the format has no graph",))
    walk = _Walk(model, plan, inferred)
    ends = walk.both_ends(model.graph)
    activations = ends + walk.peak(model.graph, 0)
    if walk.unsized:
        return Memory(weights, None, tuple(walk.unsized))
    return Memory(weights, activations, ())


class _Walk:
    def __init__(self, model: Model, plan: Plan, inferred: Inferred) -> None:
        self._values = Values(model, inferred, plan)
        self._numbers = {id(graph): number for graph, number, _ in numbered(model)}
        self._sizes = plan.sizes
        self._local = {(function.domain, function.name, function.overload) for function in model.functions}
        self.unsized: list[str] = []

    def both_ends(self, graph: Graph) -> int:
        """Inputs and outputs of the model are alive all the time."""
        total = 0
        for value in graph.inputs:
            if value.name not in graph.initializers:
                total += self._bytes(value.name, 0)
        return total + sum(self._bytes(value.name, 0) for value in graph.outputs)

    def peak(self, graph: Graph, number: int) -> int:
        """The most bytes of values that the nodes of a graph make; nesting is bounded by the reader."""
        kept = {value.name for value in graph.outputs}
        kept_here: set[str] = kept if number == 0 else set()
        last: dict[str, int] = {}
        for place, node in enumerate(graph.nodes):
            for name in (*node.inputs, *_reads(subgraphs(node))):
                last[name] = place
        alive = most = 0
        ending: dict[int, int] = {}
        for place, node in enumerate(graph.nodes):
            if (node.domain, node.op_type, node.overload) in self._local:
                self._lack(f"the body of {node.op_type}")
            for name in node.outputs:
                # What is an output of the main graph was counted with the ends.
                if not name or name in kept_here:
                    continue
                size = self._bytes(name, number)
                alive += size
                end = len(graph.nodes) if name in kept else last.get(name, place)
                ending[end] = ending.get(end, 0) + size
            inner = max((self.peak(child, self._numbers[id(child)]) for child in subgraphs(node)), default=0)
            most = max(most, alive + inner)
            alive -= ending.pop(place, 0)
        return most

    def _bytes(self, name: str, number: int) -> int:
        type_ = self._values.type_of(number, name)
        count = elements(type_.shape, self._sizes) if type_ is not None else None
        if type_ is None or count is None or type_.dtype not in ELEMENT_BITS:
            self._lack(name)
            return 0
        return tensor_bytes(type_.dtype, count)

    def _lack(self, what: str) -> None:
        if len(self.unsized) < MAX_UNSIZED and what not in self.unsized:
            self.unsized.append(what)


def _reads(graphs: tuple[Graph, ...]) -> set[str]:
    """Names that graphs in the attributes of a node read from around them (or make themselves: that does no harm)."""
    names: set[str] = set()
    pending = list(graphs)
    while pending:
        graph = pending.pop()
        names.update(value.name for value in graph.outputs)
        for node in graph.nodes:
            names.update(node.inputs)
            pending.extend(subgraphs(node))
    return names
