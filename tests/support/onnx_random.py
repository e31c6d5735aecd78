"""Hypothesis strategies for ONNX models: any names, any types, nested graphs; most are no valid programs."""

import onnx
from hypothesis import strategies as st
from onnx import AttributeProto, helper

from support import onnx_zoo

names = st.text(st.characters(codec="utf-8"), max_size=8)
dims = st.lists(st.integers(0, 3), max_size=3)
tensors = st.builds(
    lambda make, code, shape, name: make(code, shape, name),
    st.sampled_from((onnx_zoo.raw, onnx_zoo.typed)),
    st.sampled_from(onnx_zoo.NUMERIC),
    dims,
    names,
)
value_types = st.recursive(
    st.builds(
        helper.make_tensor_type_proto,
        st.sampled_from((1, 7, 16)),
        st.none() | st.lists(st.none() | st.integers(0, 9) | names.filter(bool), max_size=3),
    ),
    lambda inner: (
        st.builds(helper.make_sequence_type_proto, inner)
        | st.builds(helper.make_optional_type_proto, inner)
        | st.builds(helper.make_map_type_proto, st.just(8), inner)
    ),
    max_leaves=3,
)
values = st.builds(lambda name, kind: onnx.ValueInfoProto(name=name, type=kind), names, value_types)


def attributes(kind: int, field: str, content: st.SearchStrategy[object]) -> st.SearchStrategy[AttributeProto]:
    return st.builds(lambda name, value: AttributeProto(name=name, type=kind, **{field: value}), names, content)


int64 = st.integers(-(2**63), 2**63 - 1)
float32 = st.floats(width=32)
scalars = st.one_of(
    attributes(AttributeProto.INT, "i", int64),
    attributes(AttributeProto.FLOAT, "f", float32),
    attributes(AttributeProto.STRINGS, "strings", st.lists(st.binary(max_size=5), max_size=4)),
    attributes(AttributeProto.INTS, "ints", st.lists(int64, max_size=5)),
    attributes(AttributeProto.FLOATS, "floats", st.lists(float32, max_size=5)),
    attributes(AttributeProto.TENSOR, "t", tensors),
    attributes(AttributeProto.TYPE_PROTO, "tp", value_types),
)


def nodes(listed: st.SearchStrategy[AttributeProto]) -> st.SearchStrategy[onnx.NodeProto]:
    return st.builds(
        lambda op, inputs, outputs, name, domain, found: onnx.NodeProto(
            op_type=op, input=inputs, output=outputs, name=name, domain=domain, attribute=found
        ),
        st.sampled_from(("Relu", "If", "Constant")),
        st.lists(names, max_size=3),
        st.lists(names.filter(bool), min_size=1, max_size=2),
        names,
        st.sampled_from(("", "ai.onnx", "local")),
        st.lists(listed, max_size=3),
    )


def graphs(inner: st.SearchStrategy[onnx.NodeProto]) -> st.SearchStrategy[onnx.GraphProto]:
    return st.builds(
        lambda name, listed, inputs, outputs, weights: onnx.GraphProto(
            name=name, node=listed, input=inputs, output=outputs, initializer=weights
        ),
        names,
        st.lists(inner, max_size=3),
        st.lists(values, max_size=2),
        st.lists(values, max_size=2),
        st.lists(tensors, max_size=3),
    )


all_graphs = st.recursive(
    graphs(nodes(scalars)),
    lambda inner: graphs(nodes(scalars | attributes(AttributeProto.GRAPH, "g", inner))),
    max_leaves=3,
)
