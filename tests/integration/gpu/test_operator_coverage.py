"""The table of kernels against ONNX Runtime itself: what it says of the CPU is what the CPU does."""

from typing import Any

import onnxruntime
import pytest
from onnxruntime.capi import onnxruntime_pybind11_state
from support import models

from gitops_model.blob import Blob, NoSource
from gitops_model.gpu import facts
from gitops_model.gpu.contract import requirements
from gitops_model.gpu.onnx_needs import onnx_needs
from gitops_model.gpu.onnx_support import place_of
from gitops_model.gpu.versions import parse
from gitops_model.readers.onnx.model import read

RELEASE = parse(onnxruntime.__version__)
OPEN = 2**31 - 1


def test_the_table_is_the_registry_of_the_installed_release() -> None:
    """`benchmarks/gpu_facts.py onnxruntime` tells of other releases."""
    assert RELEASE in facts.onnxruntime_kernels(), "a new onnxruntime needs its rows"
    sets = facts.table("onnxruntime_kernels")["type_sets"]
    registry: dict[tuple[Any, ...], dict[str, set[str]]] = {}
    for kernel in onnxruntime_pybind11_state.get_all_opkernel_def():
        if kernel.provider == "CPUExecutionProvider" and kernel.domain != "com.microsoft.nchwc":
            first, last = kernel.version_range
            key = kernel.domain or "ai.onnx", kernel.op_name, first, None if last >= OPEN else last
            types = registry.setdefault(key, {})
            for parameter, names in kernel.type_constraints.items():
                bare = {name[7:-1] if name.startswith("tensor(") else name for name in names}
                types.setdefault(parameter, set()).update(bare)
    table = {
        (domain, name, first, last): {parameter: set(sets[number]) for parameter, number in types.items()}
        for domain, operators in facts.onnxruntime_kernels()[RELEASE]["cpu"].items()
        for name, ranges in operators.items()
        for first, last, types in ranges
    }
    assert table == registry


@pytest.mark.parametrize("package, path", models.model_files(".onnx"))
def test_what_onnx_runtime_loads_on_the_cpu_has_kernels(package: str, path: str) -> None:
    file = models.model_file(package, path)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    onnxruntime.InferenceSession(
        file, options, providers=["CPUExecutionProvider"]
    )  # raises for an operator without one
    with Blob.of_file(file) as blob:
        needs = requirements({"onnx": onnx_needs(read(blob, NoSource()))}).onnx
    assert needs is not None
    assert needs.operators
    for operator in needs.operators:
        assert place_of(operator, needs.opset or {}, RELEASE, ("cpu",)).where == "cpu", operator
