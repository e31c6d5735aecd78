"""What a verdict costs beyond the start of the interpreter: one model and image configuration against every profile.

    PYTHONPATH=. python benchmarks/gpu_check.py [MODEL.onnx] [--rounds N]

Promise: at most 1 s for 12 targets. Each round is a process of its own, so imports and reading the tables count.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROMISE = 1.0
_WORK = """
import json, sys, time
start = time.perf_counter()
from gitops_model.gpu.compat import matrix
from gitops_model.gpu.profiles import names
needs = json.load(open(sys.argv[1]))
verdicts = matrix(needs, [{"profile": name} for name in names()])
print(json.dumps([time.perf_counter() - start, len(verdicts), sorted({verdict.verdict for verdict in verdicts})]))
"""
IMAGE = "cuda>=12.2 brand=tesla,driver>=470,driver<471 brand=nvidia,driver>=525,driver<526"


def needs(model: str | None) -> dict[str, object]:
    """A release as `gpu scan` describes one: a model, the image's requirement, and a library of 300 containers."""
    archs = ["75", "80", "86", "89", "90a", "120a"]
    containers = [
        {"count": 50, "images": [{"kind": "sass", "arch": arch} for arch in archs[: 1 + number]]} for number in range(6)
    ]
    found: dict[str, object] = {
        "cuda_runtime": "12.8",
        "onnxruntime": "1.26.0",
        "binaries": [{"path": "libonnxruntime_providers_cuda.so", "containers": containers}],
        "image_require": [IMAGE],
        "memory_mib": 3000,
        "dtypes": ["float32", "int64"],
    }
    if model is not None:
        from gitops_model.blob import Blob, NoSource
        from gitops_model.gpu.onnx_needs import onnx_needs
        from gitops_model.readers.onnx.model import read

        with Blob.of_file(model) as blob:
            found["onnx"] = onnx_needs(read(blob, NoSource()))
    return found


def main(words: list[str]) -> int:
    rounds = int(words[words.index("--rounds") + 1]) if "--rounds" in words else 5
    model = next((word for word in words if word.endswith(".onnx")), None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.json"
        file.write_text(json.dumps(needs(model)))
        runs = [
            json.loads(subprocess.run([sys.executable, "-c", _WORK, file], check=True, capture_output=True).stdout)
            for _ in range(rounds)
        ]
    seconds = statistics.median(run[0] for run in runs)
    print(f"{runs[0][1]} targets: {seconds:.3f} s (of {PROMISE:.0f} s allowed), verdicts {', '.join(runs[0][2])}")
    return seconds > PROMISE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
