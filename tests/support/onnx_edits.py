"""Ways in which an ONNX model may change from one release to the next, each done at a place drawn by chance.

`EDITS` maps a name to a function that changes a ModelProto; one for which there is nothing to change does nothing.
"""

import copy
import random
from collections.abc import Callable, MutableSequence
from typing import Any

import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper

from support import onnx_zoo

Edit = Callable[[ModelProto, random.Random], None]


def edited(model: ModelProto, rng: random.Random, most: int = 6) -> ModelProto:
    """A copy with up to `most` changes."""
    found = copy.deepcopy(model)
    for name in rng.choices(sorted(EDITS), k=rng.randint(1, most)):
        EDITS[name](found, rng)
    return found


def shuffled(items: MutableSequence[Any], rng: random.Random) -> None:
    copies = [copy.deepcopy(item) for item in items]
    rng.shuffle(copies)
    del items[:]
    items.extend(copies)


def dropped(items: MutableSequence[Any], rng: random.Random) -> None:
    if items:
        del items[rng.randrange(len(items))]


def inserted(items: MutableSequence[Any], item: object, rng: random.Random) -> None:
    items.insert(rng.randint(0, len(items)), item)


def sides(model: ModelProto, rng: random.Random) -> MutableSequence[onnx.ValueInfoProto]:
    return rng.choice((model.graph.input, model.graph.output))


def add_value(model: ModelProto, rng: random.Random) -> None:
    name = rng.choice(("x", "y", "new", "new"))  # x and y may be there already, which no valid file has
    shape = rng.choice((None, [], [2], ["N", None]))
    inserted(sides(model, rng), helper.make_tensor_value_info(name, TensorProto.FLOAT, shape), rng)


def rename_value(model: ModelProto, rng: random.Random) -> None:
    values = sides(model, rng)
    if values:
        rng.choice(values).name += "_renamed"


def retype_value(model: ModelProto, rng: random.Random) -> None:
    values = sides(model, rng)
    if values:
        kind = helper.make_tensor_type_proto(rng.choice((1, 7)), rng.choice((None, [3], ["M"])))
        rng.choice(values).type.CopyFrom(kind)


def change_metadata(model: ModelProto, rng: random.Random) -> None:
    if model.metadata_props and rng.random() < 0.5:
        rng.choice(model.metadata_props).value += "!"
    else:
        model.metadata_props.add(key=f"key {rng.randint(0, 3)}", value=str(rng.random()))


def change_opset(model: ModelProto, rng: random.Random) -> None:
    if model.opset_import and rng.random() < 0.5:
        rng.choice(model.opset_import).version += 1
    else:
        model.opset_import.add(domain=rng.choice(("com.microsoft", "local")), version=1)


def change_properties(model: ModelProto, rng: random.Random) -> None:
    model.ir_version = rng.choice((8, 9, 10))
    model.producer_name = rng.choice(("", "zoo", "other"))


def change_tensor(model: ModelProto, rng: random.Random) -> None:
    if model.graph.initializer:
        tensor = rng.choice(model.graph.initializer)
        dims = rng.choice(([2], [3, 2], []))
        tensor.CopyFrom(onnx_zoo.raw(rng.choice((1, 7, 16)), dims, rng.choice((tensor.name, "w", "other"))))


def swap_tensors(model: ModelProto, rng: random.Random) -> None:
    if len(model.graph.initializer) > 1:
        one, other = rng.sample(list(model.graph.initializer), k=2)
        one.name, other.name = other.name, one.name


def add_tensor(model: ModelProto, rng: random.Random) -> None:
    inserted(model.graph.initializer, onnx_zoo.raw(1, [rng.randint(0, 3)], rng.choice(("w", "v", "u"))), rng)


def to_constants(model: ModelProto, _rng: random.Random) -> None:
    for tensor in model.graph.initializer:
        model.graph.node.insert(0, helper.make_node("Constant", [], [tensor.name], value=tensor))
    del model.graph.initializer[:]


def add_node(model: ModelProto, rng: random.Random) -> None:
    made = NodeProto(
        op_type=rng.choice(("Relu", "Add", "a:b")),
        domain=rng.choice(("", "ai.onnx", "com.microsoft", "a")),
        input=rng.choices(("x", "w", "y", ""), k=2),
        output=[rng.choice(("y", "h", "k"))],
    )
    inserted(model.graph.node, made, rng)


def change_node(model: ModelProto, rng: random.Random) -> None:
    if model.graph.node:
        node = rng.choice(model.graph.node)
        node.op_type = rng.choice((node.op_type, "Neg"))
        node.attribute.append(helper.make_attribute("changed", rng.randint(0, 2)))


def into_branch(model: ModelProto, rng: random.Random) -> None:
    """Some of the nodes move into the branch of an If, those that are Constants into both."""
    nodes = [copy.deepcopy(node) for node in model.graph.node if rng.random() < 0.5]
    branches = [onnx_zoo.branch(name, *nodes) for name in ("then_branch", "else_branch")]
    attributes = [AttributeProto(name=branch.name, type=AttributeProto.GRAPH, g=branch) for branch in branches]
    model.graph.node.append(NodeProto(op_type="If", input=["x"], output=["branched"], attribute=attributes))


def into_function(model: ModelProto, rng: random.Random) -> None:
    name = rng.choice("FG")
    nodes = [copy.deepcopy(node) for node in model.graph.node if rng.random() < 0.5]
    imports = [helper.make_opsetid("", 21)]
    model.functions.append(helper.make_function("local", name, ["x"], ["y"], nodes, imports))
    model.graph.node.append(NodeProto(op_type=name, domain="local", input=["x"], output=["called"]))


EDITS: dict[str, Edit] = {
    "value added": add_value,
    "value dropped": lambda model, rng: dropped(sides(model, rng), rng),
    "values in another order": lambda model, rng: shuffled(sides(model, rng), rng),
    "value renamed": rename_value,
    "value of another type": retype_value,
    "metadata": change_metadata,
    "metadata dropped": lambda model, rng: dropped(model.metadata_props, rng),
    "opset": change_opset,
    "properties": change_properties,
    "tensor changed": change_tensor,
    "tensors exchanged": swap_tensors,
    "tensor added": add_tensor,
    "tensor dropped": lambda model, rng: dropped(model.graph.initializer, rng),
    "tensors in another order": lambda model, rng: shuffled(model.graph.initializer, rng),
    "constants instead of initializers": to_constants,
    "node added": add_node,
    "node dropped": lambda model, rng: dropped(model.graph.node, rng),
    "node changed": change_node,
    "nodes in another order": lambda model, rng: shuffled(model.graph.node, rng),
    "nodes into a branch": into_branch,
    "nodes into a function": into_function,
}
