"""A function of the driver that a release links directly must be in the driver: its CUDA version says so."""

from typing import Any

import pytest
from support.machines import machine, release

from gitops_model.gpu import facts
from gitops_model.gpu.compat import judge


def verdict(symbol: str, **target: Any) -> tuple[str, set[str]]:
    found = judge(release(symbols=[f"{symbol}@libcuda.so.1"]), machine(**target))
    return found.verdict, {reason.error for reason in found.reasons}


@pytest.mark.parametrize("symbol", ["cuInit", "cuMemAlloc_v2", "cuLaunchKernel_ptsz", "cuTensorMapEncodeTiled"])
def test_a_function_that_the_driver_has_is_no_need(symbol: str) -> None:
    assert verdict(symbol) == ("allow", set())


def test_a_function_of_a_newer_driver_is_undefined() -> None:
    assert verdict("cuTensorMapEncodeIm2colWide") == ("reject", {"UNDEFINED_SYMBOL"})
    assert verdict("cuTensorMapEncodeIm2colWide", driver="570.26", cuda_driver="12.8")[0] == "allow"
    assert verdict("cuTensorMapEncodeTiled", driver="525.60.13", cuda_driver="12.0")[0] == "allow"


def test_a_function_with_a_newer_form_is_unknown_between_the_two() -> None:
    two = facts.driver_function("cuCtxCreate")
    assert two is not None
    assert two.first < two.last
    assert verdict("cuCtxCreate_v4")[0] == "unknown", "the table does not say which form came when"


def test_a_function_that_no_row_names_is_unknown() -> None:
    assert verdict("cuSomethingNew") == ("unknown", {"UNDEFINED_SYMBOL"})


def test_what_the_library_lists_itself_decides() -> None:
    listed = machine()
    listed["libraries"][0]["symbols"] = ["cuSomethingNew"]
    assert judge(release(symbols=["cuSomethingNew@libcuda.so.1"]), listed).verdict == "allow"
    assert judge(release(symbols=["cuInit@libcuda.so.1"]), listed).verdict == "reject"


def test_suffixes_of_exported_names_are_no_part_of_the_function() -> None:
    assert facts.driver_function("cuMemAlloc") == facts.driver_function("cuMemAlloc_v2")
    assert facts.driver_function("cuMemcpyAsync_ptsz") == facts.driver_function("cuMemcpyAsync")
    assert facts.driver_function("") is None
