"""Writes tests/data/torch_export: small networks from both of torch's exporters, with fixed and dynamic sizes.

    python tests/oracles/torch_export.py

Needs torch and onnxscript. The weights are drawn from a fixed seed, so that both exporters write the same ones.
"""

import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

FOLDER = Path(__file__).parents[1] / "data" / "torch_export"


class Conv(nn.Module):
    """Convolutions with BatchNorm, pooling and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, stride=2), nn.BatchNorm2d(6), nn.Hardswish(), nn.AdaptiveAvgPool2d(1),
        )  # fmt: skip
        self.head = nn.Linear(6, 5)
        for part in self.body:
            if isinstance(part, nn.BatchNorm2d):
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias)
                nn.init.normal_(part.running_mean)
                nn.init.uniform_(part.running_var, 0.5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x).flatten(1))


class Encoder(nn.Module):
    """A transformer layer written out: LayerNorm, attention, Gelu."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.last = nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.wide, self.narrow = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(batch, length, 3, 2, width // 2).permute(2, 0, 3, 1, 4).unbind(0)
        attention = torch.softmax(q @ k.transpose(-2, -1) / 2.0, dim=-1) @ v
        x = x + self.out(attention.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(nn.functional.gelu(self.wide(self.last(x))))


class Gated(nn.Module):
    """RMSNorm and a SiLU gate, as language models have them."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(8) + 0.5)
        self.gate, self.up, self.down = (nn.Linear(*size, bias=False) for size in ((8, 12), (8, 12), (12, 8)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
        return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.head(self.lstm(x)[0][:, -1]))


NETS = {
    "conv": (Conv, (2, 3, 12, 12), {0: "batch"}),
    "encoder": (Encoder, (2, 5, 8), {0: "batch", 1: "length"}),
    "gated": (Gated, (2, 5, 8), {0: "batch", 1: "length"}),
    "recurrent": (Recurrent, (2, 6, 4), {1: "length"}),
}


def main() -> None:
    warnings.filterwarnings("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (net, shape, dims) in NETS.items():
        torch.manual_seed(0)
        model, x = net().eval(), torch.randn(shape)
        common = {"input_names": ["x"], "output_names": ["y"]}
        for kind, axes in (("fixed", {}), ("dynamic", dims)):
            path = FOLDER / f"{name}_{kind}"
            torch.onnx.export(
                model, (x,), f"{path}_script.onnx", dynamo=False, opset_version=17,
                dynamic_axes={"x": axes} if axes else None, **common,
            )  # fmt: skip
            shapes = (
                {"x": {axis: torch.export.Dim(word, min=2, max=64) for axis, word in axes.items()}} if axes else None
            )
            program = torch.onnx.export(
                model, (x,), dynamo=True, opset_version=18, dynamic_shapes=shapes, verbose=False, **common
            )
            program.save(f"{path}_dynamo.onnx")
            torch.onnx.export(
                model,
                (x,),
                dynamo=True,
                opset_version=18,
                dynamic_shapes=shapes,
                verbose=False,
                optimize=False,
                **common,
            ).save(f"{path}_dynamo_plain.onnx")


def forget_the_machine(path: Path) -> None:
    """Take out the stack traces that the exporter writes beside each node: they name folders of this machine."""
    model = onnx.load(path)
    parts: list[Any] = [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input]
    parts += [*model.graph.output, *model.graph.initializer, *model.functions]
    parts += [node for function in model.functions for node in function.node]
    for part in parts:
        kept = [entry for entry in part.metadata_props if "stack_trace" not in entry.key]
        del part.metadata_props[:]
        part.metadata_props.extend(kept)
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
    for exported in sorted(FOLDER.glob("*.onnx")):
        forget_the_machine(exported)
