"""Each predicted error on both sides of its border, and what happens where the deciding fact is not there."""

from typing import Any

import pytest
from support.machines import MACHINE, NEWER_COMPAT, RELEASE, code, machine, release

from gitops_model.gpu.compat import Verdict, judge
from gitops_model.gpu.reasons import CODES

ALLOW, JIT, UNKNOWN, REJECT = "allow", "jit-fallback", "unknown", "reject"
GEFORCE = 5


def errors(verdict: Verdict) -> set[str]:
    """The errors of the reasons that decide."""
    return {reason.error for reason in verdict.reasons if reason.effect.verdict == verdict.verdict}


def expect(needs: dict[str, Any], target: dict[str, Any], verdict: str, error: str | None = None) -> Verdict:
    found = judge(needs, target)
    assert found.verdict == verdict, found.reasons
    if error is not None:
        assert error in errors(found), found.reasons
    for reason in found.reasons:
        assert CODES[reason.code].error == reason.error or (reason.code, reason.error) == ("GM404", "221")
        assert reason.source
    return found


def test_a_release_on_a_machine_that_fits_is_allowed_without_a_reason() -> None:
    assert judge(RELEASE, MACHINE).reasons == ()
    assert judge(RELEASE, MACHINE).verdict == ALLOW


# --- 35 ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "runtime, driver, verdict",
    [
        ("11.0", "450.36.06", ALLOW),
        ("11.0", "450.36.05", REJECT),
        ("11.8", "450.80.02", ALLOW),
        ("11.8", "450.80.01", REJECT),
        ("12.0", "525.60.13", ALLOW),
        ("12.0", "525.60.12", REJECT),
        ("12.4", "525.60.13", ALLOW),
        ("12.4", "520.61.05", REJECT),
        ("12.9.1", "525.60.13", ALLOW),
        ("13.0", "580.65.06", ALLOW),
        ("13.0", "575.57.08", REJECT),
        ("13.5", "580.65.06", ALLOW),
        ("11.8", "580.95.05", ALLOW),  # a newer driver runs older programs
        ("10.2", "550.54.15", ALLOW),
        ("10.2", "440.33.01", UNKNOWN),  # below every row of the table
        ("13.6", "580.65.06", UNKNOWN),  # a minor that no row has
        ("13.6", "575.57.08", REJECT),  # but the floor of its major is known
        ("14.0", "620.10", UNKNOWN),
    ],
)
def test_the_driver_reaches_the_floor_of_the_cuda_major(runtime: str, driver: str, verdict: str) -> None:
    a100 = {"compute_capability": "8.0", "fabric": None}
    needs = release(cuda_runtime=runtime, binaries=code("sm_80"))
    expect(needs, machine(driver=driver, gpu=a100), verdict, None if verdict == ALLOW else "35")


@pytest.mark.parametrize("present, verdict", [(True, ALLOW), (False, REJECT), (None, UNKNOWN)])
def test_without_libcuda_every_call_fails(present: bool | None, verdict: str) -> None:
    expect(RELEASE, machine(libcuda_present=present), verdict, None if present else "35")


def test_the_runtime_is_read_off_the_soname_when_it_is_not_stated() -> None:
    needs = release(sonames=["libcudart.so.12"])
    del needs["cuda_runtime"]
    expect(needs, machine(driver="525.60.13"), ALLOW)
    expect(needs, machine(driver="520.61.05"), REJECT, "35")
    expect(release(cuda_runtime=None), MACHINE, UNKNOWN, "35")
    del needs["sonames"]
    expect(needs, MACHINE, UNKNOWN, "35")


def test_forward_compatibility_lifts_the_floor_on_a_data_center_gpu() -> None:
    needs = release(cuda_runtime="12.4")
    old = machine(driver="470.57.02", compat={**NEWER_COMPAT, "driver_branches": [470, 535]})
    expect(needs, old, ALLOW)
    expect(needs, machine(driver="470.57.02"), REJECT, "35")
    too_old = {**NEWER_COMPAT, "version": "520.61.05", "cuda": "11.8", "driver_branches": [470]}
    expect(needs, machine(driver="470.57.02", compat=too_old), REJECT, "35")
    ignored = {**NEWER_COMPAT, "driver_branches": [470], "in_use": False}
    expect(needs, machine(driver="470.57.02", compat=ignored), REJECT, "35")


# --- 209 -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "images, capability, verdict",
    [
        (["sm_80"], "8.0", ALLOW),
        (["sm_80"], "8.6", ALLOW),
        (["sm_80"], "8.9", ALLOW),
        (["sm_86"], "8.0", REJECT),  # a cubin never runs on an older minor
        (["sm_80"], "9.0", REJECT),
        (["sm_90"], "9.0", ALLOW),
        (["sm_90a"], "9.0", ALLOW),
        (["sm_100a"], "10.0", ALLOW),
        (["sm_100a"], "10.3", REJECT),  # `a` is exactly one capability
        (["sm_100f"], "10.3", ALLOW),  # `f` is a family
        (["sm_100f"], "12.0", REJECT),
        (["sm_103f"], "10.0", REJECT),
        (["sm_120f"], "12.1", ALLOW),
        (["sm_120"], "12.1", ALLOW),
        (["sm_100"], "12.0", REJECT),
        (["sm_101a"], "11.0", ALLOW),  # Thor under its old number
        (["sm_101"], "11.0", UNKNOWN),
        (["sm_87"], "8.7", ALLOW),
        (["sm_80"], "8.7", UNKNOWN),  # desktop code on Tegra is not supported
        (["sm_87"], "8.9", UNKNOWN),  # nor the other way round
        (["sm_72"], "7.5", UNKNOWN),
        (["sm_75", "sm_80", "sm_86"], "7.5", ALLOW),
        (["sm_130"], "13.0", ALLOW),  # the same number fits, known or not
        (["sm_130"], "13.1", UNKNOWN),  # what a newer generation does is not guessed
        (["sm_100f"], "10.9", UNKNOWN),
        (["compute_100a@8.6"], "10.3", REJECT),
        (["compute_90a@8.0"], "10.0", REJECT),
        (["compute_100f@8.8"], "12.0", REJECT),
        (["compute_90@8.4"], "8.9", REJECT),  # PTX is never compiled for an older GPU
    ],
)
def test_a_cubin_runs_on_its_generation_from_its_minor_on(images: list[str], capability: str, verdict: str) -> None:
    target = machine(driver="610.43.02", gpu={"compute_capability": capability, "name": "a GPU"})
    expect(release(binaries=code(*images)), target, verdict, None if verdict == ALLOW else "209")


def test_what_is_missing_of_device_code_is_unknown() -> None:
    expect(release(binaries=[{"path": "a.so"}]), MACHINE, UNKNOWN, "209")
    expect(release(binaries=[{"path": "a.so", "images": []}]), MACHINE, UNKNOWN, "209")
    expect(release(binaries=[{"path": "a.so", "containers": [{"images": []}]}]), MACHINE, UNKNOWN, "209")
    expect(release(binaries=None), MACHINE, UNKNOWN, "209")
    expect(release(binaries=[]), MACHINE, UNKNOWN, "UNKNOWN")
    expect({}, MACHINE, UNKNOWN, "UNKNOWN")
    expect({"memory_mib": 10, "cuda_runtime": "12.4"}, MACHINE, UNKNOWN, "UNKNOWN")
    half_read = [{**code("sm_90")[0], "problems": ["a container reaches past its section"]}]
    expect(release(binaries=half_read), MACHINE, UNKNOWN, "209")
    expect(RELEASE, machine(gpu={"compute_capability": None}), UNKNOWN, "209")


def test_every_container_of_a_library_of_ones_own_must_run() -> None:
    good, bad = [{"kind": "sass", "arch": "90"}], [{"kind": "sass", "arch": "80"}]
    mixed = [{"count": 3, "images": good}, {"count": 2, "images": bad}]
    found = expect(release(binaries=[{"path": "a.so", "containers": mixed}]), MACHINE, REJECT, "209")
    assert "2 of 5 containers" in found.reasons[0].message
    flat = [{**good[0], "container": 0}, {**bad[0], "container": 1}]
    expect(release(binaries=[{"path": "a.so", "images": flat}]), MACHINE, REJECT, "209")
    together = [{**good[0], "container": 0}, {**bad[0], "container": 0}]
    expect(release(binaries=[{"path": "a.so", "images": together}]), MACHINE, ALLOW)


def test_a_library_that_picks_among_its_kernels_needs_one_container_that_runs() -> None:
    good, bad = [{"kind": "sass", "arch": "90"}], [{"kind": "sass", "arch": "80"}]
    mixed = [{"count": 465, "images": good}, {"count": 116, "images": bad}]
    found = expect(release(binaries=[{"path": "nvidia/lib/libcublasLt.so.12", "containers": mixed}]), MACHINE, ALLOW)
    assert "116 of 581 containers" in found.reasons[0].message
    own = [{"path": "lib/libcublasLt.so.12", "coverage": "all", "containers": mixed}]
    expect(release(binaries=own), MACHINE, REJECT, "209")
    none = [{"path": "lib/libcublasLt.so.12", "containers": [{"count": 3, "images": bad}]}]
    expect(release(binaries=none), MACHINE, REJECT, "209")


def test_input_of_a_device_link_is_no_code() -> None:
    ptx = {"kind": "ptx", "arch": "80", "ptx_isa": "7.8", "section": "__nv_relfatbin"}
    sass = {"kind": "sass", "arch": "80"}
    expect(release(binaries=[{"path": "a.so", "images": [sass, ptx]}]), MACHINE, REJECT, "209")
    expect(release(binaries=[{"path": "a.o", "images": [ptx]}]), MACHINE, UNKNOWN, "209")
    grouped = [{"section": "__nv_relfatbin", "images": [{"kind": "ptx", "arch": "80", "ptx_isa": "7.8"}]}]
    expect(release(binaries=[{"path": "a.o", "containers": grouped}]), MACHINE, UNKNOWN, "209")
    beside = [*grouped, {"section": ".nv_fatbin", "images": [{"kind": "sass", "arch": "90"}]}]
    expect(release(binaries=[{"path": "a.so", "containers": beside}]), MACHINE, ALLOW)


# --- JIT, 222, 223, 221 --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "isa, driver, verdict",
    [
        ("8.4", "550.54.15", JIT),
        ("8.5", "550.54.15", REJECT),
        ("8.5", "560.35.03", JIT),  # 12.6 kept the ISA of 12.5
        ("8.6", "560.35.03", REJECT),
        ("8.8", "550.54.15", REJECT),
        ("9.5", "620.10", UNKNOWN),  # a driver that no row has compiles at least what older ones do
        ("9.4", "620.10", JIT),
        ("9.9", "550.54.15", REJECT),
    ],
)
def test_ptx_is_compiled_up_to_the_isa_of_the_user_mode_driver(isa: str, driver: str, verdict: str) -> None:
    needs = release(binaries=code("sm_80", f"compute_80@{isa}"))
    error = {JIT: "JIT", REJECT: "222", UNKNOWN: "222"}[verdict]
    found = expect(needs, machine(driver=driver), verdict, error)
    assert "-gencode arch=compute_90,code=sm_90" in found.reasons[0].fix


def test_the_oldest_ptx_of_a_container_decides() -> None:
    expect(release(binaries=code("compute_80@7.0", "compute_90@8.8")), MACHINE, JIT, "JIT")


def test_ptx_whose_isa_is_not_said_or_cannot_be_is_unknown() -> None:
    expect(release(binaries=code("compute_80")), MACHINE, UNKNOWN, "222")
    expect(release(binaries=code("compute_90@7.0")), MACHINE, UNKNOWN, "222")  # 90 came with 7.8


def test_with_compat_in_use_its_own_version_decides_about_ptx() -> None:
    needs = release(binaries=code("compute_80@8.8"))
    expect(needs, machine(driver="535.54.03", compat=NEWER_COMPAT), JIT, "JIT")
    expect(needs, machine(driver="535.54.03"), REJECT, "222")
    newer = release(binaries=code("compute_80@9.0"))
    expect(newer, machine(driver="535.54.03", compat=NEWER_COMPAT), REJECT, "222")


@pytest.mark.parametrize("name", ["CUDA_DISABLE_PTX_JIT", "CUDA_DISABLE_JIT"])
@pytest.mark.parametrize("value, verdict", [("1", REJECT), ("0", JIT), ("", JIT), ("2", UNKNOWN)])
def test_compilation_may_be_switched_off(name: str, value: str, verdict: str) -> None:
    needs = release(binaries=code("compute_90@8.4"))
    expect(
        needs, machine(environment={name: value}), verdict, "JIT" if verdict == JIT else "223" if value == "1" else None
    )
    expect(RELEASE, machine(environment={name: value}), ALLOW)  # machine code needs no compiler


def test_compilation_may_be_forced() -> None:
    for name in ("CUDA_FORCE_PTX_JIT", "CUDA_FORCE_JIT"):
        expect(RELEASE, machine(environment={name: "1"}), JIT, "JIT")
        expect(release(binaries=code("sm_90")), machine(environment={name: "1"}), REJECT, "209")
        expect(release(binaries=code("sm_90")), machine(environment={name: "maybe"}), UNKNOWN, "209")


def test_without_the_compiler_library_nothing_is_compiled() -> None:
    needs = release(binaries=code("compute_90@8.4"))
    driver_only = [{"soname": "libcuda.so.1", "version": "550.54.15"}]
    expect(needs, machine(libraries=driver_only), REJECT, "221")
    expect(needs, machine(libraries=[]), JIT)  # the list is not one of the driver's libraries
    expect(needs, machine(libraries=None), UNKNOWN, "223")
    expect(RELEASE, machine(libraries=driver_only), ALLOW)


def test_lto_ir_alone_is_unknown() -> None:
    images = [{"kind": "ltoir", "arch": "90"}]
    expect(release(binaries=[{"path": "a.so", "images": images}]), MACHINE, UNKNOWN, "209")


# --- 803, 804, 802, 214 --------------------------------------------------------------------------------------------
def test_both_halves_of_the_driver_are_one_version() -> None:
    expect(RELEASE, machine(nvml_status=18), REJECT, "803")
    other = [{"soname": "libcuda.so.1", "version": "550.54.14"}]
    expect(RELEASE, machine(libraries=other), REJECT, "803")
    compat_first = [{"soname": "libcuda.so.1", "version": "575.57.08"}]
    expect(RELEASE, machine(libraries=compat_first, compat=NEWER_COMPAT, cuda_driver="12.9"), ALLOW)


def test_a_user_mode_driver_of_another_cuda_is_a_contradiction() -> None:
    expect(RELEASE, machine(cuda_driver="12.2"), UNKNOWN, "803")
    expect(RELEASE, machine(cuda_driver="12.8"), UNKNOWN, "803")


def test_an_older_compat_is_not_used_unless_it_is_first() -> None:
    old = {**NEWER_COMPAT, "version": "535.54.03", "cuda": "12.2"}
    expect(RELEASE, machine(compat=old), ALLOW)
    expect(RELEASE, machine(compat={**old, "in_use": True}), REJECT, "803")
    first = {"LD_LIBRARY_PATH": "/usr/local/cuda/compat:/usr/lib"}
    expect(RELEASE, machine(compat=old, environment=first), REJECT, "803")
    expect(RELEASE, machine(compat=old, environment={"LD_LIBRARY_PATH": "/opt/compatible"}), ALLOW)


@pytest.mark.parametrize(
    "brand, verdict",
    [
        (2, ALLOW),
        (14, ALLOW),
        (5, REJECT),
        (6, REJECT),
        (15, REJECT),
        (16, REJECT),
        (3, REJECT),
        (0, UNKNOWN),
        (99, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_compat_works_on_the_brands_of_its_note(brand: int | None, verdict: str) -> None:
    target = machine(driver="535.54.03", compat=NEWER_COMPAT, gpu={"brand": brand})
    expect(RELEASE, target, verdict, None if verdict == ALLOW else "804")


def test_compat_works_on_the_driver_branches_of_its_note() -> None:
    expect(RELEASE, machine(driver="550.54.15", compat=NEWER_COMPAT), ALLOW)
    expect(RELEASE, machine(driver="545.23.08", compat=NEWER_COMPAT), REJECT, "804")
    expect(RELEASE, machine(driver="580.95.05", compat=NEWER_COMPAT), ALLOW)  # newer than it: not used
    no_note = {"version": "575.57.08", "cuda": "12.9", "driver_branches": None, "devices": None}
    expect(RELEASE, machine(driver="550.54.15", compat=no_note), UNKNOWN, "804")
    expect(RELEASE, machine(driver="550.54.15", compat=no_note, gpu={"brand": GEFORCE}), REJECT, "804")


def test_whether_there_is_a_compat_must_be_known() -> None:
    silent = machine()
    del silent["compat"]
    expect(RELEASE, silent, ALLOW)  # the user-mode driver is the kernel driver's own
    del silent["cuda_driver"]
    expect(RELEASE, silent, ALLOW)  # and so its library says
    del silent["libraries"][0]["version"]
    expect(RELEASE, silent, UNKNOWN, "804")


def test_a_compat_that_contradicts_itself_is_unknown() -> None:
    lying = {**NEWER_COMPAT, "cuda": "13.0"}
    expect(RELEASE, machine(driver="550.54.15", compat=lying), UNKNOWN, "UNKNOWN")


@pytest.mark.parametrize(
    "fabric, verdict", [("completed", ALLOW), (None, ALLOW), ("in-progress", REJECT), ("not-ready", REJECT)]
)
def test_the_fabric_is_up(fabric: str | None, verdict: str) -> None:
    expect(RELEASE, machine(gpu={"fabric": fabric}), verdict, None if verdict == ALLOW else "802")


@pytest.mark.parametrize(
    "gpu, verdict",
    [
        ({"ecc_uncorrected": 0}, ALLOW),
        ({"ecc_uncorrected": 1}, REJECT),
        ({"ecc_uncorrected": None}, UNKNOWN),
        ({"ecc_uncorrected": None, "ecc_mode": "disabled"}, ALLOW),
        ({"ecc_uncorrected": None, "ecc_mode": "unsupported", "remap_failed": None}, ALLOW),
        ({"ecc_uncorrected": 1, "ecc_mode": "disabled"}, REJECT),
        ({"remap_failed": True}, REJECT),
        ({"remap_failed": None}, UNKNOWN),
    ],
)
def test_the_memory_of_the_gpu_is_healthy(gpu: dict[str, Any], verdict: str) -> None:
    expect(RELEASE, machine(gpu=gpu), verdict, None if verdict == ALLOW else "214")


# --- NO_DEVICE -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "changes, verdict",
    [
        ({"gpus": []}, REJECT),
        ({"gpus": None}, UNKNOWN),
        ({"nvml_status": 9}, REJECT),
        ({"nvml_status": 15}, REJECT),
        ({"nvml_status": 12}, UNKNOWN),
        ({"nvml_status": 999}, UNKNOWN),
        ({"nvml_status": -1}, UNKNOWN),
        ({"nvml_status": None}, UNKNOWN),
        ({"environment": None}, UNKNOWN),
        ({"environment": {"CUDA_VISIBLE_DEVICES": ""}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "-1"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "1"}}, REJECT),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0"}}, ALLOW),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0,-1,7"}}, ALLOW),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "0,0"}}, UNKNOWN),
        ({"environment": {"CUDA_VISIBLE_DEVICES": "GPU-1"}}, UNKNOWN),
        ({"environment": {"NVIDIA_VISIBLE_DEVICES": "void"}}, ALLOW),  # what Kubernetes sets where CDI gives the GPU
    ],
)
def test_cuda_sees_a_gpu(changes: dict[str, Any], verdict: str) -> None:
    expect(RELEASE, machine(**changes), verdict, None if verdict == ALLOW else "NO_DEVICE")


@pytest.mark.parametrize(
    "gpu, verdict",
    [
        ({"mig": False}, ALLOW),
        ({"mig": None}, UNKNOWN),
        ({"mig": True}, REJECT),
        ({"mig": True, "name": "NVIDIA H100 80GB HBM3 MIG 1g.10gb"}, ALLOW),
        ({"mig": "1g.10gb"}, ALLOW),
        ({"mig": "1c.2g.20gb"}, ALLOW),
        ({"mig": "disabled"}, ALLOW),
        ({"mig": "enabled"}, REJECT),
        ({"mig": "perhaps"}, UNKNOWN),
        ({"compute_mode": 0}, ALLOW),
        ({"compute_mode": "prohibited"}, REJECT),
        ({"compute_mode": 2}, REJECT),
        ({"compute_mode": "exclusive-process", "processes": 0}, ALLOW),
        ({"compute_mode": "exclusive-process", "processes": 1}, REJECT),
        ({"compute_mode": 3}, UNKNOWN),
        ({"compute_mode": None}, UNKNOWN),
    ],
)
def test_the_gpu_may_be_used(gpu: dict[str, Any], verdict: str) -> None:
    expect(RELEASE, machine(gpu=gpu), verdict, None if verdict == ALLOW else "NO_DEVICE")


@pytest.mark.parametrize(
    "capability, driver, verdict",
    [
        ("7.0", "580.95.05", ALLOW),
        ("7.0", "590.44.01", REJECT),
        ("7.5", "590.44.01", ALLOW),
        ("3.7", "470.57.02", ALLOW),
        ("3.7", "495.29.05", REJECT),
        ("10.0", "570.26", ALLOW),
        ("10.0", "560.35.03", UNKNOWN),  # a public table has such a machine; nobody else does
    ],
)
def test_the_driver_supports_the_generation(capability: str, driver: str, verdict: str) -> None:
    needs = release(cuda_runtime="11.4", binaries=code("sm_37", "sm_70", "sm_75", "sm_100"))
    target = machine(driver=driver, gpu={"compute_capability": capability})
    expect(needs, target, verdict, None if verdict == ALLOW else "NO_DEVICE")


def test_a_newer_compat_drops_a_generation_too() -> None:
    volta = {"compute_capability": "7.0", "fabric": None}
    needs = release(binaries=code("sm_70"))
    compat = {**NEWER_COMPAT, "version": "590.44.01", "cuda": "13.1"}
    expect(needs, machine(driver="550.54.15", gpu=volta), ALLOW)
    expect(needs, machine(driver="550.54.15", gpu=volta, compat=compat), REJECT, "NO_DEVICE")


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


# --- engines, memory, types ----------------------------------------------------------------------------------------
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


@pytest.mark.parametrize(
    "need, total, free, verdict",
    [
        (8000, 10000, 8000, ALLOW),
        (8001, 10000, 8000, REJECT),
        (10000, 10000, 10000, ALLOW),
        (10001, 10000, None, REJECT),  # more than there is, whatever is in use
        (8000, 10000, None, UNKNOWN),
        (8000, None, 9000, UNKNOWN),
        (8000, None, 7000, REJECT),
        (8000, 7000, 9000, REJECT),  # more free than there is: the smaller one counts
        (None, 10000, 10000, UNKNOWN),
        (0, 10000, 0, ALLOW),
    ],
)
def test_the_release_fits_into_memory(need: Any, total: Any, free: Any, verdict: str) -> None:
    target = machine(gpu={"memory_mib": total, "memory_free_mib": free})
    expect(release(memory_mib=need), target, verdict, None if verdict == ALLOW else "OUT_OF_MEMORY")


@pytest.mark.parametrize(
    "dtype, capability, verdict",
    [
        ("float32", "7.5", ALLOW),
        ("float16", "7.5", ALLOW),
        ("bfloat16", "8.0", ALLOW),
        ("bfloat16", "7.5", REJECT),
        ("bf16", "7.5", REJECT),
        ("float8_e4m3fn", "8.9", ALLOW),
        ("float8_e4m3fn", "8.6", REJECT),
        ("FP8", "8.6", REJECT),
        ("float8_e5m2", "9.0", ALLOW),
        ("float4_e2m1fn", "10.0", ALLOW),
        ("float4_e2m1fn", "12.0", ALLOW),
        ("float4_e2m1fn", "9.0", REJECT),
        ("float8_e4m3fnuz", "9.0", UNKNOWN),
        ("float6_e3m2", "12.0", UNKNOWN),
    ],
)
def test_the_gpu_computes_with_the_element_type(dtype: str, capability: str, verdict: str) -> None:
    needs = release(dtypes=[dtype], binaries=code("sm_75", "sm_80", "sm_90", "sm_100", "sm_120"))
    target = machine(driver="580.95.05", gpu={"compute_capability": capability})
    expect(needs, target, verdict, None if verdict == ALLOW else "DTYPE_UNSUPPORTED")


def test_types_that_nobody_could_find_out_are_unknown() -> None:
    expect(release(dtypes=None), MACHINE, UNKNOWN, "DTYPE_UNSUPPORTED")


# --- several GPUs --------------------------------------------------------------------------------------------------
def test_the_worst_gpu_decides_and_each_has_its_own_verdict() -> None:
    target = machine()
    small = {**target["gpus"][0], "name": "NVIDIA L4", "compute_capability": "8.9", "fabric": None}
    target["gpus"].append(small)
    found = expect(release(binaries=code("sm_90")), target, REJECT, "209")
    assert [gpu.verdict for gpu in found.gpus] == [ALLOW, REJECT]
    assert found.reasons[0].gpu == 1
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "0"}
    expect(release(binaries=code("sm_90")), target, REJECT)  # CUDA counts the fastest first, NVML by bus
    target["environment"]["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    expect(release(binaries=code("sm_90")), target, ALLOW)


def test_gpus_may_be_chosen_by_uuid() -> None:
    target = machine(environment={"CUDA_VISIBLE_DEVICES": "GPU-aa"}, gpu={"uuid": "GPU-aabb"})
    target["gpus"].append({**target["gpus"][0], "uuid": "GPU-ccdd", "compute_mode": "prohibited"})
    expect(RELEASE, target, ALLOW)
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "GPU-cc"}
    expect(RELEASE, target, REJECT, "NO_DEVICE")
    target["environment"] = {"CUDA_VISIBLE_DEVICES": "GPU-"}  # not one GPU: nothing is visible
    expect(RELEASE, target, REJECT, "NO_DEVICE")


def test_a_fact_that_decides_alone_decides() -> None:
    assert judge(RELEASE, {"libcuda_present": False}).verdict == REJECT
    assert judge(RELEASE, {"nvml_status": 18}).verdict == REJECT
    assert judge(RELEASE, {"gpus": []}).verdict == REJECT
    assert judge(release(sonames=["libnope.so.1"]), {"libraries": []}).verdict == REJECT
    assert judge(release(memory_mib=100), {"gpus": [{"memory_mib": 50}]}).verdict == REJECT
    assert judge(RELEASE, {}).verdict == UNKNOWN


def test_a_reason_is_data() -> None:
    found = judge(release(memory_mib=90000), MACHINE).as_dict()
    assert found["verdict"] == REJECT
    assert found["target"] == "node-1"
    first = found["reasons"][0]  # type: ignore[index]
    assert set(first) == {"code", "error", "message", "source", "fix", "effect", "gpu"}
    assert (first["code"], first["error"], first["effect"], first["gpu"]) == ("GM418", "OUT_OF_MEMORY", REJECT, 0)
