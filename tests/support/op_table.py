"""Makes gitops_model/diff/ops.json from the schemas of the `onnx` package: defaults, and which versions mean the same.

    python tests/support/op_table.py --write

Two versions of an operator mean the same when the later one only widened types or added optional inputs and attributes
with defaults; BREAKS lists those whose text changed although their schema did not (read in onnx/docs/Changelog.md).
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "gitops_model" / "diff" / "ops.json"

BREAKS: dict[str, tuple[int, ...]] = {
    "Softmax": (13,), "LogSoftmax": (13,), "Hardmax": (13,),  # coerced to two dimensions before
    "AveragePool": (11, 19), "MaxPool": (11,), "LpPool": (11,),  # output size and counting with ceil_mode, padding
    "Resize": (11, 13, 18, 19), "Upsample": (7, 9), "GridSample": (20,), "Scan": (9,), "Loop": (11,),
    "BatchNormalization": (7, 9, 14), "Dropout": (7, 10, 12), "RoiAlign": (16,), "TopK": (10, 11),
    "Gelu": (), "OneHot": (11,), "ConvTranspose": (11,), "PRelu": (7,), "GRU": (7,), "LSTM": (7,),
    "RNN": (7,), "CastLike": (), "Mod": (), "GroupNormalization": (21,), "Pad": (11,), "NonZero": (),
}  # fmt: skip


def signature(schema: Any) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    inputs = [(item.name, int(item.option)) for item in schema.inputs]
    outputs = [(item.name, int(item.option)) for item in schema.outputs]
    return inputs, outputs


def default(attribute: Any) -> Any:
    import onnx

    value = attribute.default_value
    if value.type == onnx.AttributeProto.UNDEFINED:
        return None
    found = onnx.helper.get_attribute_value(value)
    if isinstance(found, bytes):
        return found.decode()
    return [item.decode() if isinstance(item, bytes) else item for item in found] if isinstance(found, list) else found


def compatible(old: Any, new: Any) -> bool:
    (old_in, old_out), (new_in, new_out) = signature(old), signature(new)
    required, optional = 0, 1
    if old_out != new_out or len(new_in) < len(old_in):
        return False
    for (old_name, was), (new_name, now) in zip(old_in, new_in, strict=False):
        if old_name != new_name or (was != now and (was, now) != (required, optional)):
            return False
    if any(option != optional for _, option in new_in[len(old_in) :]):
        return False
    for name, attribute in old.attributes.items():
        if name not in new.attributes or default(attribute) != default(new.attributes[name]):
            return False
    return not any(item.required for name, item in new.attributes.items() if name not in old.attributes)


def make() -> str:
    import onnx

    table: dict[str, list[Any]] = {}
    by_op: dict[str, list[Any]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            by_op.setdefault(schema.name, []).append(schema)
    for op, schemas in sorted(by_op.items()):
        schemas.sort(key=lambda schema: schema.since_version)
        rows: list[Any] = []
        meaning = schemas[0].since_version
        for index, schema in enumerate(schemas):
            if index:
                broken = schema.since_version in BREAKS.get(op, ())
                if broken or not compatible(schemas[index - 1], schema):
                    meaning = schema.since_version
            defaults = {
                name: value
                for name, attribute in sorted(schema.attributes.items())
                if (value := default(attribute)) is not None
            }
            most = None if schema.max_input >= 1 << 30 else schema.max_input
            rows.append([schema.since_version, meaning, defaults, sorted(schema.attributes), most])
        # Attributes that a later version of the same meaning added count with their default in the earlier one too.
        for row in rows:
            for other in rows:
                if other[1] == row[1]:
                    row[2] = {**other[2], **row[2]}
        table[op] = rows
    lines = [f"{json.dumps(op)}: {json.dumps(rows, sort_keys=True)}" for op, rows in table.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__" and "--write" in sys.argv:
    TARGET.write_text(make(), encoding="utf-8")
