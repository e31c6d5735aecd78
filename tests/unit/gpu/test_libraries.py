"""Libraries of the machine and engines: there, with the symbols, with code for the GPU."""

from typing import Any

import pytest
from support.machines import MACHINE, code, machine, release
from support.verdicts import ALLOW, REJECT, UNKNOWN, expect


# --- libraries -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sonames, libraries, verdict",
    [
        (["libcudnn.so.9"], MACHINE["libraries"], ALLOW),
        (["libcudnn.so.8"], MACHINE["libraries"], REJECT),
        (["libcudart.so.12", "libnope.so.1"], MACHINE["libraries"], REJECT),
        (["libcuda.so.1", "libc.so.6"], [], ALLOW),  # decided elsewhere, or in every image
        (["libcudnn.so.9"], None, UNKNOWN),
        (None, MACHINE["libraries"], UNKNOWN),
        ([], None, ALLOW),
    ],
)
def test_every_soname_is_on_the_loader_path(sonames: Any, libraries: Any, verdict: str) -> None:
    needs, target = release(sonames=sonames), machine(libraries=libraries)
    expect(needs, target, verdict, None if verdict == ALLOW else "MISSING_LIBRARY")


JITLINK = "__nvJitLinkComplete_12_4@libnvJitLink.so.12"


@pytest.mark.parametrize(
    "symbols, verdict, error",
    [
        (["__nvJitLinkComplete_12_4"], ALLOW, None),
        (["__nvJitLinkComplete_12_4@libnvJitLink.so.12"], ALLOW, None),
        (["__nvJitLinkComplete_12_4@@libnvJitLink.so.12"], ALLOW, None),
        (["__nvJitLinkComplete_12_3"], REJECT, "UNDEFINED_SYMBOL"),
        ([], REJECT, "UNDEFINED_SYMBOL"),
        (None, UNKNOWN, "UNDEFINED_SYMBOL"),
    ],
)
def test_the_library_defines_the_symbol(symbols: Any, verdict: str, error: str | None) -> None:
    target = machine()
    target["libraries"].append({"soname": "libnvJitLink.so.12", "symbols": symbols})
    expect(release(symbols=[JITLINK]), target, verdict, error)


def test_the_library_that_is_found_first_counts() -> None:
    old = {"soname": "libnvJitLink.so.12", "symbols": ["__nvJitLinkComplete_12_1"]}
    new = {"soname": "libnvJitLink.so.12", "symbols": ["__nvJitLinkComplete_12_4"]}
    needs = release(symbols=[JITLINK])
    expect(needs, machine(libraries=[new, old]), ALLOW)
    expect(needs, machine(libraries=[old, new]), REJECT, "UNDEFINED_SYMBOL")
    expect(needs, machine(libraries=[]), REJECT, "MISSING_LIBRARY")


@pytest.mark.parametrize(
    "version, capability, verdict",
    [
        ("9.10.2", "7.0", ALLOW),
        ("9.11", "7.0", REJECT),
        ("9.11.1", "7.5", ALLOW),
        ("9.5.1", "9.0", ALLOW),
        ("9.5.1", "10.0", UNKNOWN),
        ("9.11.1", "10.3", ALLOW),
        ("9.27", "12.1", ALLOW),
        ("9.28", "9.0", UNKNOWN),  # newer than the table
        ("8.9.6", "9.0", ALLOW),
        ("8.0.5", "8.0", UNKNOWN),
    ],
)
def test_cudnn_has_code_for_the_gpu(version: str, capability: str, verdict: str) -> None:
    needs = release(cudnn=version, binaries=code("sm_70", "sm_75", "sm_80", "sm_90", "sm_100", "sm_120"))
    target = machine(driver="580.95.05", gpu={"compute_capability": capability})
    error = None if verdict == ALLOW else "ARCH_MISMATCH"
    expect(needs, target, verdict, error)
    library = {"soname": "libcudnn.so.9", "version": version}
    own = release(sonames=["libcudnn.so.9"], binaries=needs["binaries"])
    expect(
        own, machine(driver="580.95.05", libraries=[library], gpu={"compute_capability": capability}), verdict, error
    )


@pytest.mark.parametrize(
    "library, verdict",
    [
        ({"soname": "libcublasLt.so.12", "compute_capabilities": ["8.0", "9.0"]}, ALLOW),
        ({"soname": "libcublasLt.so.12", "compute_capabilities": ["sm_90a"]}, ALLOW),
        ({"soname": "libcublasLt.so.12", "compute_capabilities": ["8.0", "8.9"]}, REJECT),
        ({"soname": "libcublasLt.so.12", "compute_capabilities": []}, ALLOW),  # no code of its own
        ({"soname": "libcublasLt.so.12"}, ALLOW),  # every CUDA 12 has 9.0
        ({"soname": "libcublasLt.so.14"}, UNKNOWN),
        ({"soname": "libother.so.1", "compute_capabilities": ["8.0"]}, ALLOW),  # nobody loads it
    ],
)
def test_cublas_has_code_for_the_gpu(library: dict[str, Any], verdict: str) -> None:
    needs = release(sonames=["libcublas" + library["soname"][-6:]])
    libraries = [{"soname": needs["sonames"][0], "compute_capabilities": []}, library]
    expect(needs, machine(libraries=libraries), verdict, None if verdict == ALLOW else "ARCH_MISMATCH")


# --- engines -------------------------------------------------------------------------------------------------------
def engine(**changes: Any) -> dict[str, Any]:
    plan = {"compute_capability": "9.0", "tensorrt": "10.9.0.34", "hardware_compatible": False, **changes}
    return {"cuda_runtime": "12.4", "tensorrt": "10.9.0.34", "engines": [plan]}


@pytest.mark.parametrize(
    "plan, verdict",
    [
        ({}, ALLOW),
        ({"compute_capability": "8.9"}, REJECT),
        ({"compute_capability": "8.9", "hardware_compatible": True}, ALLOW),
        ({"compute_capability": "7.5", "hardware_compatible": True}, REJECT),
        ({"compute_capability": "8.9", "hardware_compatible": "ampere_plus"}, ALLOW),
        ({"compute_capability": "8.9", "hardware_compatible": "same_compute_capability"}, REJECT),
        ({"compute_capability": "8.9", "hardware_compatible": None}, UNKNOWN),
        ({"compute_capability": None}, UNKNOWN),
        ({"tensorrt": "10.8.0.43"}, REJECT),
        ({"tensorrt": "10.8.0.43", "version_compatible": True}, ALLOW),
        ({"tensorrt": "10.10.0.31", "version_compatible": True}, REJECT),  # the runtime is older
        ({"tensorrt": "8.6.1", "version_compatible": True}, REJECT),
        ({"tensorrt": "10.9"}, UNKNOWN),
        ({"tensorrt": None}, UNKNOWN),
    ],
)
def test_an_engine_belongs_to_its_gpu_and_its_tensorrt(plan: dict[str, Any], verdict: str) -> None:
    expect(engine(**plan), MACHINE, verdict, None if verdict == ALLOW else "ENGINE_MISMATCH")


def test_the_tensorrt_of_the_machine_counts_where_the_release_has_none() -> None:
    needs = engine()
    del needs["tensorrt"]
    expect(needs, MACHINE, UNKNOWN, "ENGINE_MISMATCH")
    runtime = {"soname": "libnvinfer.so.10", "version": "10.9.0.34"}
    expect(needs, machine(libraries=[*MACHINE["libraries"], runtime]), ALLOW)
    expect(needs, machine(libraries=[{**runtime, "version": "10.8.0.43"}]), REJECT, "ENGINE_MISMATCH")
    expect({**engine(), "engines": None}, MACHINE, UNKNOWN, "ENGINE_MISMATCH")


def test_tensorrt_dropped_volta_with_10_5() -> None:
    volta = machine(gpu={"compute_capability": "7.0"})
    for version, verdict in (("10.4.0.26", ALLOW), ("10.5.0.18", REJECT)):
        needs = {**engine(compute_capability="7.0", tensorrt=version), "tensorrt": version}
        expect(needs, volta, verdict, None if verdict == ALLOW else "ENGINE_MISMATCH")


def test_a_hardware_compatible_engine_is_not_known_to_know_newer_generations() -> None:
    needs = engine(compute_capability="8.0", hardware_compatible=True)
    expect(needs, MACHINE, ALLOW)
    expect(needs, machine(driver="580.95.05", gpu={"compute_capability": "10.0"}), UNKNOWN, "ENGINE_MISMATCH")
    expect(needs, machine(driver="580.95.05", gpu={"compute_capability": "8.7"}), REJECT, "ENGINE_MISMATCH")
    blackwell = engine(compute_capability="10.0", hardware_compatible=True)
    expect(blackwell, machine(driver="580.95.05", gpu={"compute_capability": "12.0"}), ALLOW)
