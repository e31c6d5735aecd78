"""A model as text: one fact per line, nothing aligned, tensors by name, so that a line diff shows what changed.

Names are given in full unless they are absurdly long; digests of tensors by their first 16 digits (the digest over all
of them stands in full above).
"""

from collections import Counter
from collections.abc import Iterator

from gitops_model.diff.graph import nodes
from gitops_model.diff.nodes import op_text
from gitops_model.diff.result import type_text
from gitops_model.ir import Attribute, Graph, Node, OtherType, Tensor, Value
from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.show import Shown, external

LONGEST = 1000
MOST_ITEMS = 16
"""Numbers of an attribute that are written out."""


def render(shown: Shown, look: Look) -> str:
    return "".join(f"{line}\n" for line in lines(shown, look))


def lines(shown: Shown, look: Look) -> Iterator[str]:
    model = shown.model
    bold = look.paint("format", 1)
    yield f"{bold} {model.format}"
    for name in ("weights", "structure", "signature", "optimizer"):
        digest = getattr(shown, name)
        if digest:
            yield f"{look.paint(name, 1)} {digest}"
    for name, value in model.properties.items():
        yield f"{look.paint(one_line(name), 1)} {one_line(str(value))}"
    for domain, version in sorted(model.opset.items()):
        yield f"{look.paint('opset', 1)} {one_line(domain)} {version}"
    for name, value in sorted(model.metadata.items()):
        yield f"{look.paint('metadata', 1)} {one_line(name)} = {one_line(value, LONGEST)}"
    for problem in model.problems:
        yield f"{look.paint('problem', 31)} {problem.code} {one_line(problem.message, LONGEST)}"
    yield from _values("input", model.inputs, look)
    yield from _values("output", model.outputs, look)
    if model.graph is not None or model.functions:
        yield from _operations(shown, look)
    total = sum(tensor.nbytes for tensor in model.tensors)
    yield f"{look.paint('tensors', 1)} {len(model.tensors)} ({total} bytes)"
    pairs = sorted(zip(model.tensors, shown.digests, strict=True), key=lambda pair: pair[0].name)
    yield from (_tensor(tensor, digest, look) for tensor, digest in pairs)


def _values(role: str, values: tuple[Value, ...] | None, look: Look) -> Iterator[str]:
    for value in values or ():
        yield f"{look.paint(role, 36)} {one_line(value.name, LONGEST)} {one_line(type_text(value.type), LONGEST)}"


def _tensor(tensor: Tensor, digest: str | None, look: Look) -> str:
    dims = ",".join(map(str, tensor.shape))
    role = "optimizer" if tensor.group == "optimizer" else "tensor"
    line = f"{look.paint(role, 32)} {one_line(tensor.name, LONGEST)} {one_line(tensor.dtype)}[{dims}]"
    elsewhere = external(tensor.data)
    if elsewhere is not None:
        line += f" in {one_line(elsewhere.path, LONGEST)} offset {elsewhere.offset} length {elsewhere.length}"
    return f"{line} {digest[:16]}" if digest else line


def _operations(shown: Shown, look: Look) -> Iterator[str]:
    counts: Counter[str] = Counter()
    listing: list[str] = []
    for node in nodes(shown.model):
        counts[op_text(node)] += 1
        if shown.nodes:
            listing.append(_node(node, look))
    yield f"{look.paint('operations', 1)} {counts.total()}"
    yield from (f"{look.paint('op', 33)} {one_line(op)} {count}" for op, count in sorted(counts.items()))
    for function in shown.model.functions:
        name = f"{function.domain}:{function.name}" + (f":{function.overload}" if function.overload else "")
        yield f"{look.paint('function', 33)} {one_line(name)} {len(function.nodes)} nodes"
    yield from listing


def _node(node: Node, look: Look) -> str:
    """An operation and its attributes, without the names of node and values: exporters make those up."""
    line = f"{look.paint('node', 33)} {one_line(op_text(node))}"
    for attribute in sorted(node.attributes, key=lambda attribute: attribute.name):
        line += f" {one_line(attribute.name)}={one_line(_attribute(attribute))}"
    return line


def _attribute(attribute: Attribute) -> str:
    value = attribute.value
    if not isinstance(value, tuple) or isinstance(value, Graph | Tensor | OtherType):
        return _item(value)
    items = [_item(item) for item in value[:MOST_ITEMS]]
    if len(value) > MOST_ITEMS:
        items.append(f"… {len(value)} in all")
    return f"[{','.join(items)}]"


def _item(value: object) -> str:
    if isinstance(value, Graph):
        return f"graph({len(value.nodes)} nodes)"
    if isinstance(value, Tensor):
        return f"tensor({value.dtype}[{','.join(map(str, value.shape))}])"
    if isinstance(value, OtherType):
        return value.text
    if isinstance(value, bytes):
        return repr(value.decode("utf-8", "backslashreplace"))
    return repr(value)
