"""Nodes in the order of the data. Files have them sorted; some do not, and are read all the same."""

from collections.abc import Iterable, Sequence

from gitops_model.ir import Graph, Node


def in_order(nodes: tuple[Node, ...]) -> Iterable[Node]:
    """The nodes, each after those that make its inputs; what hangs in a cycle comes last, as it stands."""
    made: set[str] = set()
    early: set[str] = set()  # what is used before it is made, or never made here
    for node in nodes:
        early.update([name for name in uses(node) if name not in made])
        made.update(node.outputs)
    made.discard("")
    return nodes if early.isdisjoint(made) else sort(nodes, made)


def uses(node: Node) -> Sequence[str]:
    """The names that a node reads, those inside its subgraphs included ("" where an input is omitted)."""
    stack = [attribute.value for attribute in node.attributes if attribute.kind in ("graph", "graphs")]
    if not stack:
        return node.inputs
    names = list(node.inputs)
    while stack:
        value = stack.pop()
        graphs = value if isinstance(value, tuple) and not isinstance(value, Graph) else (value,)
        for graph in graphs:
            if isinstance(graph, Graph):
                names += [value.name for value in graph.outputs]
                for inner in graph.nodes:
                    names += inner.inputs
                    stack += [item.value for item in inner.attributes if item.kind in ("graph", "graphs")]
    return names


def sort(nodes: tuple[Node, ...], made: set[str]) -> list[Node]:
    producer = {name: index for index, node in enumerate(nodes) for name in node.outputs if name}
    waiting: list[int] = [0] * len(nodes)
    users: list[list[int]] = [[] for _ in nodes]
    for index, node in enumerate(nodes):
        for source in {producer[name] for name in uses(node) if name in made}:
            if source != index:
                waiting[index] += 1
                users[source].append(index)
    ready = [index for index in reversed(range(len(nodes))) if not waiting[index]]
    done: list[int] = []
    while ready:
        index = ready.pop()
        done.append(index)
        for user in reversed(users[index]):
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    finished = set(done)
    return [nodes[index] for index in done] + [node for index, node in enumerate(nodes) if index not in finished]
