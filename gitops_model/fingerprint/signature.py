"""The digest of what a caller sees: the inputs and outputs of a model, by name, type and dimensions."""

from gitops_model.fingerprint.encode import u32, value
from gitops_model.ir import Model, Value


def signature_digest(model: Model) -> str | None:
    """`gm1-signature:<hex>`, or None for a format without inputs and outputs."""
    from blake3 import blake3

    if model.inputs is None or model.outputs is None:
        return None
    symbols: dict[str, int] = {}
    hasher = blake3(b"gitops-model/signature/1\0")
    for values in (callers_inputs(model), model.outputs):
        hasher.update(u32(len(values)) + b"".join(value(item, symbols) for item in values))
    return f"gm1-signature:{hasher.hexdigest()}"


def callers_inputs(model: Model) -> tuple[Value, ...]:
    """The inputs without those that an initializer fills: old ONNX files list every weight among them."""
    filled = model.graph.initializers if model.graph is not None else {}
    return tuple(item for item in model.inputs or () if item.name not in filled)
