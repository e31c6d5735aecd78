"""Nodes in the order of the data. Files have them sorted; some do not, and are read all the same."""

from collections.abc import Iterable

from gitops_model.ir import Graph, Node


def in_order(nodes: tuple[Node, ...]) -> Iterable[Node]:
    """The nodes, each after those that make its inputs; what hangs in a cycle comes last, as it stands."""
    made = {name for node in nodes for name in node.outputs if name}
    seen: set[str] = set()
    for node in nodes:
        if any(name in made and name not in seen for name in uses(node)):
            return sort(nodes, made)
        seen.update(node.outputs)
    return nodes


def uses(node: Node) -> list[str]:
    """The names that a node reads, those inside its subgraphs included."""
    names = [name for name in node.inputs if name]
    stack = [attribute.value for attribute in node.attributes if attribute.kind in ("graph", "graphs")]
    while stack:
        value = stack.pop()
        graphs = value if isinstance(value, tuple) and not isinstance(value, Graph) else (value,)
        for graph in graphs:
            if isinstance(graph, Graph):
                names += [value.name for value in graph.outputs]
                for inner in graph.nodes:
                    names += [name for name in inner.inputs if name]
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
