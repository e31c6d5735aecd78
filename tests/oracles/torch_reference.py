"""What torch reads in a file, as {tensor name: [dtype, shape, digest]} with digests computed from docs/format.md alone.

Shares no line with gitops-model and does not import it.
"""

from pathlib import Path
from typing import Any

import torch
from blake3 import blake3

WRAPPERS = ("state_dict", "model", "model_state_dict")
TRAINING = ("optimizer", "optimizer_state_dict", "lr_scheduler")


def digest(dtype: str, shape: list[int], raw: bytes) -> str:
    head = f"gitops-model/tensor/1\0{dtype}\0{','.join(map(str, shape))}\0".encode()
    return blake3(head + raw).hexdigest()


def entry(tensor: torch.Tensor) -> list[Any]:
    dtype = str(tensor.dtype).removeprefix("torch.")
    flat = tensor.detach().contiguous().reshape(-1)
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return [dtype, list(tensor.shape), digest(dtype, list(tensor.shape), raw)]


def add(name: str, tensor: torch.Tensor, found: dict[str, list[Any]]) -> None:
    if not tensor.is_quantized:
        found[name] = entry(tensor)
        return
    found[name] = entry(tensor.int_repr())
    if tensor.qscheme() == torch.per_tensor_affine:
        found[f"{name}.scale"] = entry(torch.tensor(tensor.q_scale(), dtype=torch.float64))
        found[f"{name}.zero_point"] = entry(torch.tensor(tensor.q_zero_point(), dtype=torch.int64))
    else:
        found[f"{name}.scale"] = entry(tensor.q_per_channel_scales())
        found[f"{name}.zero_point"] = entry(tensor.q_per_channel_zero_points())


def walk(thing: Any, path: tuple[str, ...], found: dict[str, list[Any]]) -> None:
    if isinstance(thing, torch.Tensor):
        add(".".join(path), thing, found)
    elif isinstance(thing, torch.nn.Module):
        walk(thing.state_dict(), path, found)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            walk(value, (*path, str(key)), found)
    elif isinstance(thing, (list, tuple)):
        for index, value in enumerate(thing):
            walk(value, (*path, str(index)), found)


def script_tensors(module: Any) -> dict[str, list[Any]]:
    """Parameters and buffers. (Other attributes and constants of an archive have no name that torch would list.)"""
    found: dict[str, list[Any]] = {}
    for name, tensor in module.state_dict().items():
        add(name, tensor, found)
    return found


def reference(path: Path) -> dict[str, list[Any]]:
    """Names are nested keys; one wrapper is stripped, training state stays under its own name."""
    try:
        return script_tensors(torch.jit.load(str(path), map_location="cpu"))
    except RuntimeError:
        pass
    found: dict[str, list[Any]] = {}
    walk(torch.load(path, map_location="cpu", weights_only=False), (), found)
    tops = {name.partition(".")[0] for name in found if name.partition(".")[0] not in TRAINING}
    if len(tops) == 1 and (top := tops.pop()) in WRAPPERS:
        found = {name.removeprefix(f"{top}."): value for name, value in found.items()}
    return found
