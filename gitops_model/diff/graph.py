"""Which operations came and went, by count, in the graph, its subgraphs and the model's own functions.

Thin on purpose: nodes are not matched yet, so a node whose attribute changed shows only in the structure digest.
"""

from collections import Counter
from collections.abc import Iterator

from gitops_model.diff.result import GraphDiff, NodeChange
from gitops_model.ir import Graph, Model, Node


def diff(before: Model, after: Model) -> GraphDiff:
    old, new = op_counts(before), op_counts(after)
    return GraphDiff(
        added=tuple(NodeChange(op, count) for op, count in sorted((new - old).items())),
        removed=tuple(NodeChange(op, count) for op, count in sorted((old - new).items())),
        nodes=(old.total(), new.total()),
    )


def op_counts(model: Model) -> Counter[str]:
    """Operation → how many nodes, subgraphs and function bodies included; another domain's is `DOMAIN:OP`."""
    return Counter(op_text(node) for node in nodes(model))


def op_text(node: Node) -> str:
    return node.op_type if node.domain in {"", "ai.onnx"} else f"{node.domain}:{node.op_type}"


def nodes(model: Model) -> Iterator[Node]:
    """Every node, a subgraph's after the node that holds it; no recursion, nesting is the file's own."""
    bodies = [function.nodes for function in reversed(model.functions)]
    if model.graph is not None:
        bodies.append(model.graph.nodes)
    stack = [iter(body) for body in bodies]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            continue
        yield node
        stack += [iter(graph.nodes) for graph in reversed(subgraphs(node))]


def subgraphs(node: Node) -> list[Graph]:
    found: list[Graph] = []
    for attribute in node.attributes:
        value = attribute.value
        if isinstance(value, Graph):
            found.append(value)
        elif isinstance(value, tuple) and attribute.kind == "graphs":
            found += [item for item in value if isinstance(item, Graph)]
    return found
