"""Writes the small checkpoints under tests/data/torch, and golden.json beside them: what torch itself reads in each.

    .venv-oracles/bin/python tests/oracles/torch/make_fixtures.py

Run by hand when a case is added; test_fixtures.py holds the committed files against torch at every `make test-oracles`.
"""

import collections
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from torch_reference import reference

TARGET = Path(__file__).parents[2] / "data" / "torch"

DTYPES = (
    *(torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8),
    *(torch.uint8, torch.complex64, torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.uint16, torch.uint32),
)


def zoo() -> dict[str, Any]:
    torch.manual_seed(7)
    state: dict[str, Any] = collections.OrderedDict()
    for dtype in DTYPES:
        name = str(dtype).removeprefix("torch.")
        state[f"zoo.{name}"] = (torch.randn(3, 5).abs() * 10).to(torch.float32).to(dtype)
    state["zoo.bool"] = torch.randn(7) > 0
    state["scalar"] = torch.tensor(3.5)
    state["empty"] = torch.zeros(0, 4)
    return state


def views() -> dict[str, Any]:
    torch.manual_seed(8)
    big = torch.randn(10, 10)
    return {
        "slice": big[2:5, 1::2],
        "transposed": big.t(),
        "tied.one": big,
        "tied.two": big,
        "expanded": torch.randn(1, 5).expand(4, 5),
        "offset": big.view(-1)[37:91],
        "parameter": torch.nn.Parameter(torch.randn(4)),
        "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
        "channels_last": torch.randn(1, 3, 4, 4).to(memory_format=torch.channels_last),
    }


def training() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(9)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(5, 4)).sum().backward()
    optimizer.step()
    return model, optimizer


def quantised() -> dict[str, Any]:
    torch.manual_seed(10)
    return {
        "per_tensor": torch.quantize_per_tensor(torch.randn(3, 3), 0.1, 3, torch.qint8),
        "per_channel": torch.quantize_per_channel(
            torch.randn(3, 3), torch.rand(3), torch.tensor([0, 1, 2]), 0, torch.quint8
        ),
    }


def repacked(source: Path, target: Path, **change: Any) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", change.get("method", zipfile.ZIP_STORED)) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(change.get("rename", lambda n: n)(name)), old.read(name), change.get("method"))


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    torch.save(zoo(), TARGET / "zoo.pt")
    old = {k: v for k, v in zoo().items() if not any(part in k for part in ("float8", "uint16", "uint32"))}
    torch.save(old, TARGET / "zoo_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(views(), TARGET / "views.pt")
    torch.save(views(), TARGET / "views_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(quantised(), TARGET / "quantised.pt")
    model, optimizer = training()
    wrapped = {"model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "epoch": 3}
    torch.save(wrapped, TARGET / "checkpoint.pt")
    torch.save(model.state_dict(), TARGET / "state_dict.pt")
    torch.save(model, TARGET / "module.pt")
    repacked(TARGET / "state_dict.pt", TARGET / "deflated.pt", method=zipfile.ZIP_DEFLATED)
    repacked(TARGET / "state_dict.pt", TARGET / "other_root.pt", rename=lambda n: "archive/" + n.partition("/")[2])
    scripted = torch.jit.script(model.eval())
    torch.jit.save(scripted, TARGET / "script.pt")
    torch.jit.save(torch.jit.freeze(scripted), TARGET / "frozen.pt")
    golden = {path.name: reference(path) for path in sorted(TARGET.glob("*.pt"))}
    (TARGET / "golden.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
