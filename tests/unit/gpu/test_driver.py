"""The driver: old enough to fail (35), two halves that differ (803), cuda-compat where it does not work (804)."""

import pytest
from support.machines import MACHINE, NEWER_COMPAT, RELEASE, code, machine, release
from support.verdicts import ALLOW, REJECT, UNKNOWN, expect

GEFORCE = 5


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


# --- 803 and 804 -----------------------------------------------------------------------------------------------------
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


@pytest.mark.parametrize(
    "toolkits, driver, verdict",
    [
        (["12.4"], "550.54.15", ALLOW),
        (["13.0"], "580.95.05", ALLOW),
        (["V13.0.88", "11.8"], "550.54.15", UNKNOWN),  # the release is of CUDA 13, whatever it says
        (["nonsense", "9.9"], "550.54.15", ALLOW),
        (["14.1"], "610.43.02", UNKNOWN),
    ],
)
def test_code_of_a_newer_cuda_than_the_stated_one_is_a_contradiction(
    toolkits: list[str], driver: str, verdict: str
) -> None:
    needs = release(binaries=[{**code("sm_90")[0], "toolkits": toolkits}])
    expect(needs, machine(driver=driver), verdict, None if verdict == ALLOW else "35")


def test_a_compat_folder_on_the_path_that_nobody_saw_is_unknown() -> None:
    folder = {"LD_LIBRARY_PATH": "/usr/local/cuda/compat"}
    expect(RELEASE, machine(environment=folder), UNKNOWN, "804")
    expect(RELEASE, machine(environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"}), ALLOW)


def test_an_engine_needs_a_driver_too() -> None:
    needs = {"engines": [{"compute_capability": "9.0", "tensorrt": "10.9.0", "hardware_compatible": False}]}
    expect({**needs, "tensorrt": "10.9.0"}, machine(), UNKNOWN, "35")
    expect({**needs, "tensorrt": "10.9.0", "cuda_runtime": "12.4"}, machine(), ALLOW)


def test_jetson_has_the_cuda_of_its_jetpack() -> None:
    orin = {"profile": "orin"}
    needs = release(binaries=code("sm_87"))
    expect(needs, orin, ALLOW)  # 540.4.0 is CUDA 12.6, though the branch lies between those of 12.2 and 12.3
    expect(release(binaries=code("sm_87"), cuda_runtime="13.0"), orin, REJECT, "35")
    expect(needs, {**orin, "driver": "540.5.0"}, UNKNOWN)
