"""IR, opset and operators against ONNX Runtime, on both sides of each border."""

from typing import Any

import pytest
from support.machines import MACHINE, code, machine, release

from gitops_model.gpu import facts
from gitops_model.gpu.compat import judge
from gitops_model.gpu.contract import Operator
from gitops_model.gpu.onnx_support import place_of, since_version

PROVIDER = "onnxruntime/capi/libonnxruntime_providers_cuda.so"


def model(operators: Any = (), *, ir: Any = 9, opset: Any = 17, runtime: Any = "1.31.1", **more: Any) -> dict[str, Any]:
    imports = opset if isinstance(opset, dict) or opset is None else {"ai.onnx": opset}
    operators = None if operators is None else list(operators)
    return release(onnxruntime=runtime, onnx={"ir_version": ir, "opset": imports, "operators": operators}, **more)


def outcome(needs: dict[str, Any]) -> tuple[str, set[str]]:
    found = judge(needs, MACHINE)
    return found.verdict, {reason.error for reason in found.reasons if reason.effect.verdict == found.verdict}


@pytest.mark.parametrize(
    "runtime, ir, verdict",
    [
        ("1.17.1", 9, "allow"),
        ("1.17.1", 10, "reject"),
        ("1.22.0", 10, "allow"),
        ("1.31.1", 13, "allow"),
        ("1.31.1", 14, "reject"),
        ("1.32.0", 14, "allow"),
        ("1.33.0", 14, "allow"),  # a later release loads what earlier ones did
        ("1.33.0", 15, "unknown"),
        ("1.14.0", 10, "reject"),  # an earlier one loads no more than 1.15
        ("1.14.0", 9, "unknown"),
        ("1.31.1", None, "unknown"),
    ],
)
def test_the_ir_version_is_one_that_the_runtime_loads(runtime: str, ir: Any, verdict: str) -> None:
    opset = 9 if runtime == "1.14.0" else 17
    found, errors = outcome(model(ir=ir, opset=opset, runtime=runtime))
    if runtime == "1.14.0" and verdict == "unknown":
        errors &= {"UNSUPPORTED_IR"}
    assert (found, errors) == (verdict, set() if verdict == "allow" else {"UNSUPPORTED_IR"})


@pytest.mark.parametrize(
    "runtime, opset, verdict",
    [
        ("1.17.1", 20, "allow"),
        ("1.17.1", 21, "reject"),
        ("1.23.2", 23, "allow"),
        ("1.23.2", 24, "reject"),
        ("1.31.1", 26, "allow"),
        ("1.31.1", 27, "reject"),
        ("1.33.0", 28, "allow"),
        ("1.33.0", 29, "unknown"),
        ("1.31.1", {}, "unknown"),
        ("1.31.1", None, "unknown"),
        ("1.31.1", {"": 26}, "allow"),
        ("1.31.1", {"ai.onnx": 17, "com.microsoft": 1}, "allow"),
        ("1.31.1", {"ai.onnx": 17, "ai.onnx.ml": 5}, "allow"),
        ("1.31.1", {"ai.onnx": 17, "ai.onnx.ml": 6}, "unknown"),
        ("1.17.1", {"ai.onnx": 17, "ai.onnx.ml": 5}, "unknown"),
    ],
)
def test_the_opset_is_released_for_the_runtime(runtime: str, opset: Any, verdict: str) -> None:
    found, errors = outcome(model(opset=opset, runtime=runtime))
    assert (found, errors) == (verdict, set() if verdict == "allow" else {"UNSUPPORTED_OPSET"})


@pytest.mark.parametrize(
    "operator, opset, verdict, error",
    [
        ("Conv", 17, "allow", None),
        ("Constant", 17, "allow", None),  # removed when the model is loaded
        ("com.microsoft:Attention", 17, "allow", None),
        ({"op_type": "Attention", "domain": "com.microsoft"}, 17, "allow", None),
        ("Tan", 17, "reject", "CPU_FALLBACK"),
        ("Unique", 17, "reject", "CPU_FALLBACK"),
        ("com.microsoft:Tokenizer", 17, "reject", "CPU_FALLBACK"),
        ("Mish", 18, "allow", None),  # a function: Softplus, Tanh and Mul have kernels
        ("SequenceMap", 17, "unknown", "NOT_IMPLEMENTED"),  # a function whose body depends on its types
        ("ImageDecoder", 20, "reject", "NOT_IMPLEMENTED"),
        ("com.microsoft:NoSuchOperator", 17, "reject", "NOT_IMPLEMENTED"),
        ("NoSuchOperator", 17, "unknown", "NOT_IMPLEMENTED"),
        ("my.company:Op", 17, "unknown", "NOT_IMPLEMENTED"),
        ({"op_type": "MatMul", "types": {"T": ["float32"]}}, 17, "allow", None),
        ({"op_type": "MatMul", "types": {"T": ["float"]}}, 17, "allow", None),
        ({"op_type": "MatMul", "types": {"T": ["int32"]}}, 17, "reject", "CPU_FALLBACK"),
        ({"op_type": "Conv", "since_version": 11}, 17, "allow", None),
        ({"op_type": "Conv", "since_version": 99}, 17, "reject", "NOT_IMPLEMENTED"),
    ],
)
def test_an_operator_has_a_kernel(operator: Any, opset: int, verdict: str, error: str | None) -> None:
    found, errors = outcome(model([operator], opset=opset))
    assert (found, errors) == (verdict, {error} - {None})


def test_fallback_to_the_cpu_may_be_accepted() -> None:
    assert outcome(model(["Conv", "Tan"], cpu_fallback="allow")) == ("allow", set())
    assert outcome(model(["Conv", "Tan"], cpu_fallback="reject"))[0] == "reject"
    assert outcome(model(["ImageDecoder"], opset=20, cpu_fallback="allow"))[0] == "reject"


def test_what_is_not_stated_of_the_model_is_unknown() -> None:
    assert outcome(model(None)) == ("unknown", {"NOT_IMPLEMENTED"})
    assert outcome(model(runtime=None)) == ("unknown", {"UNSUPPORTED_OPSET"})
    assert outcome(release(onnx=None, onnxruntime="1.31.1")) == ("unknown", {"UNSUPPORTED_OPSET"})
    silent = model()
    del silent["onnxruntime"]
    assert outcome(silent) == ("unknown", {"UNSUPPORTED_OPSET"})


def test_a_release_between_two_tables_does_what_both_do() -> None:
    assert outcome(model(["Conv"], runtime="1.24.1"))[0] == "allow"
    assert outcome(model(["Tan"], runtime="1.24.1")) == ("reject", {"CPU_FALLBACK"})
    assert outcome(model(["Conv"], runtime="1.32.0")) == ("unknown", {"NOT_IMPLEMENTED"})
    assert outcome(model(["Conv"], runtime="1.16.0")) == ("unknown", {"NOT_IMPLEMENTED"})
    both = [facts.parse("1.23.2"), facts.parse("1.26.0")]
    changed = [
        name
        for name in facts.onnxruntime_kernels()[both[0]]["cuda"]["ai.onnx"]
        if len({place_of(Operator("ai.onnx", name, None, {}), {"ai.onnx": 17}, release).where for release in both}) > 1
    ]
    for name in changed:
        assert outcome(model([name], runtime="1.24.1")) == ("unknown", {"NOT_IMPLEMENTED"})


@pytest.mark.parametrize(
    "runtime, capability, verdict, error",
    [
        ("1.31.1", "9.0", "unknown", "CPU_FALLBACK"),  # nobody says whether its libraries are there
        ("1.31.1", "10.0", "reject", "209"),  # the wheel has neither code nor PTX for it
        ("1.31.1", "7.0", "reject", "209"),
        ("1.26.0", "10.0", "unknown", "CPU_FALLBACK"),
        ("1.30.0", "9.0", "unknown", "CPU_FALLBACK"),  # opened ones before and after run
        ("1.30.0", "7.0", "unknown", "209"),  # one runs, one does not
        ("1.32.0", "9.0", "unknown", "209"),  # newer than every opened one
    ],
)
def test_an_unscanned_release_has_the_code_of_the_wheel(
    runtime: str, capability: str, verdict: str, error: str
) -> None:
    libraries = MACHINE["libraries"][1:3]
    target = machine(driver="580.95.05", libraries=libraries, gpu={"compute_capability": capability})
    found = judge({"onnxruntime": runtime}, target)
    assert found.verdict == verdict
    assert error in {reason.error for reason in found.reasons if reason.effect.verdict == verdict}


def test_the_wheel_also_says_which_cuda_it_needs() -> None:
    libraries = [
        {"soname": name}
        for name in (
            "libcuda.so.1",
            "libnvidia-ptxjitcompiler.so.1",
            "libcublas.so.13",
            "libcublasLt.so.13",
            "libcudart.so.13",
            "libcurand.so.10",
            "libcudnn.so.9",
            "libcufft.so.12",
            "libnvrtc.so.13",
        )
    ]
    needs = {"onnxruntime": "1.31.1"}
    assert judge(needs, machine(driver="580.65.06", libraries=libraries)).verdict == "allow"
    old = judge(needs, machine(driver="575.57.08", libraries=libraries))
    assert (old.verdict, old.reasons[0].error) == ("reject", "35")
    assert judge(needs, machine(driver="580.65.06", libraries=libraries[:-1])).verdict == "unknown"
    arm = machine(driver="580.65.06", libraries=libraries, architecture="arm64")
    assert judge(needs, arm).verdict == "unknown"  # the table is of x86_64 wheels


def test_an_open_range_matches_only_the_version_it_begins_with() -> None:
    runtime = facts.parse("1.31.1")
    ranges = facts.onnxruntime_kernels()[runtime]["cuda"]["ai.onnx"]["Conv"]
    first = max(row[0] for row in ranges if row[1] is None)
    assert place_of(Operator("ai.onnx", "Conv", first, {}), {}, runtime).where == "cuda"
    assert place_of(Operator("ai.onnx", "Conv", first + 1, {}), {}, runtime).where == "nowhere"
    closed = next(row for row in ranges if row[1] is not None)
    assert place_of(Operator("ai.onnx", "Conv", closed[1], {}), {}, runtime).where == "cuda"


def test_the_version_of_an_operator_is_the_newest_not_above_the_opset() -> None:
    assert since_version("ai.onnx", "Conv", 10) == 1
    assert since_version("ai.onnx", "Conv", 11) == 11
    assert since_version("ai.onnx", "Conv", 21) == 11
    assert since_version("ai.onnx", "Conv", 22) == 22
    assert since_version("ai.onnx", "Conv", None) is None
    assert since_version("ai.onnx", "Conv", 999) is None  # newer than the table
    assert since_version("ai.onnx", "Gelu", 19) is None  # it came with 20
    assert since_version("com.microsoft", "Attention", None) == 1


def test_a_wheel_without_code_raises_a_doubt_about_a_release_that_was_scanned_without_it() -> None:
    libraries = MACHINE["libraries"][1:3]
    blackwell = machine(driver="580.95.05", libraries=libraries, gpu={"compute_capability": "10.0"})
    custom = {"cuda_runtime": "13.0", "binaries": code("sm_100")}
    assert judge(custom, blackwell).verdict == "allow"
    doubtful = judge({**custom, "onnxruntime": "1.31.1"}, blackwell)
    assert (doubtful.verdict, doubtful.reasons[0].error) == ("unknown", "209")
    scanned = {**custom, "binaries": [*custom["binaries"], {**code("sm_100")[0], "path": PROVIDER}]}
    assert judge({**scanned, "onnxruntime": "1.31.1"}, blackwell).verdict == "allow"
    other_cuda = {**custom, "cuda_runtime": "12.8", "onnxruntime": "1.31.1"}
    assert judge(other_cuda, blackwell).verdict == "allow"  # then it is not the wheel of PyPI
