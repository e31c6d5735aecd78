"""An `onnxruntime` that claims to have a GPU: put as onnxruntime.py first on sys.path, with behaviour.json beside it.

Every model computes y = 2 x. `providers`: what a session that asks for CUDA gets; `on_cpu`: operators that it leaves on
the CPU; `kernels`: those that CUDA has; `shift`: what its outputs differ by; `crash`, `hang`, `hungry`: on the GPU.
"""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

__version__ = "9.9.9"
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
BEHAVIOUR: dict[str, Any] = json.loads((Path(__file__).parent / "behaviour.json").read_text())


def get_available_providers() -> list[str]:
    return [CUDA, CPU]


class SessionOptions:
    def add_session_config_entry(self, name: str, value: str) -> None:
        pass


class OrtValue:
    def __init__(self, array: Any) -> None:
        self.array = array

    @classmethod
    def ortvalue_from_numpy(cls, array: Any) -> "OrtValue":
        return cls(array)

    def numpy(self) -> Any:
        return self.array


class InferenceSession:
    def __init__(self, _path: str, options: Any, providers: list[Any]) -> None:
        assert options.use_deterministic_compute
        self.on_gpu = isinstance(providers[0], tuple)
        if self.on_gpu:
            assert providers[0][1]["use_tf32"] == "0"
            if BEHAVIOUR.get("crash"):
                os.abort()
            if BEHAVIOUR.get("hang"):
                time.sleep(600)
            if BEHAVIOUR.get("hungry"):
                self.memory = np.ones(1 << 40, np.uint8)
        self.outputs = [SimpleNamespace(name="y")]

    def get_providers(self) -> list[str]:
        return BEHAVIOUR.get("providers", [CUDA, CPU]) if self.on_gpu else [CPU]

    def get_outputs(self) -> list[Any]:
        return self.outputs

    def run_with_ort_values(self, _names: list[str], feed: dict[str, OrtValue]) -> list[OrtValue]:
        (x,) = (value.array for value in feed.values())
        return [OrtValue(2 * x + np.float32(BEHAVIOUR.get("shift", 0.0) if self.on_gpu else 0.0))]

    def end_profiling(self) -> str:
        gpu = CUDA if self.on_gpu and CUDA in self.get_providers() else CPU
        ops = [("MatMul", gpu), *((op, CPU) for op in BEHAVIOUR.get("on_cpu", ()) if self.on_gpu)]
        events = [
            {"cat": "Node", "name": f"{op}_kernel_time", "args": {"provider": provider, "op_name": op}}
            for op, provider in ops
        ]
        Path("profile.json").write_text(json.dumps(events))
        return "profile.json"


def get_all_opkernel_def() -> list[Any]:
    return [SimpleNamespace(op_name=op, provider=CUDA) for op in BEHAVIOUR.get("kernels", ["MatMul", "Shape"])]


capi = SimpleNamespace(onnxruntime_pybind11_state=SimpleNamespace(get_all_opkernel_def=get_all_opkernel_def))
