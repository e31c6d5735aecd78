"""What a check of one model and an image config against twelve targets costs: modules and processes are counted."""

import json
import subprocess
import sys
from pathlib import Path

from onnx import helper
from support.onnx_models import model, value, weight
from support.registry import Images

TARGETS = ["t4", "a10g", "a100-40gb", "a100-80gb", "l4", "l40s", "h100", "h200", "b200", "rtx-4090", "rtx-5090", "orin"]
CODE = """
import json, sys
words, paths = json.loads(sys.argv[1])
sys.path[:] = paths
started = []
sys.addaudithook(lambda event, args: started.append(event) if event in ("subprocess.Popen", "os.posix_spawn") else None)
from gitops_model.cli import main
main(words)
json.dump({"modules": sorted(sys.modules), "started": started}, sys.stderr)
"""


def test_twelve_targets_cost_one_process_and_no_heavy_module(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    data = model(nodes, [value("x", [2, 64])], [value("y", [2, 64])], (weight("w", 64, 64),))
    (tmp_path / "model.onnx").write_bytes(data)
    images = Images()
    for name, content in images.layout(images.image({"CUDA_VERSION": "12.4.1"})).items():
        path = tmp_path / "image" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    words = [
        "gpu",
        "check",
        "model.onnx",
        "--image",
        "image",
        "--no-record",
        "--output",
        "out.json",
        "--format",
        "json",
    ]
    words += [word for name in TARGETS for word in ("--target", name)]
    arguments = json.dumps([words, [path for path in sys.path if path]])
    done = subprocess.run(
        [sys.executable, "-S", "-c", CODE, arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stderr.splitlines()[-1])
    assert len(json.loads((tmp_path / "out.json").read_text())["targets"]) == 12
    assert found["started"] == ["subprocess.Popen"], "shape inference alone; no git where nothing is recorded"
    heavy = {"onnx", "numpy", "onnxruntime", "pygit2", "github3", "requests", "rich", "pynvml", "torch", "yaml"}
    assert not heavy & set(found["modules"])
