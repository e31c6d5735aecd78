"""Device code against GPUs: 209, 222, 223, 221 and the way through the JIT compiler."""

import pytest
from support.machines import MACHINE, NEWER_COMPAT, RELEASE, code, machine, release
from support.verdicts import ALLOW, JIT, REJECT, UNKNOWN, expect


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
