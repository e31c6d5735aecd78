"""NVIDIA_REQUIRE_* as the container toolkit evaluates it."""

import pytest
from support.machines import NEWER_COMPAT, RELEASE, machine, release

from gitops_model.gpu.compat import judge

# What nvidia/cuda:12.2.2 states, in its length and order.
REAL = (
    "cuda>=12.2 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=470,driver<471 "
    "brand=nvidia,driver>=470,driver<471 brand=geforce,driver>=470,driver<471 brand=tesla,driver>=525,driver<526 "
    "brand=nvidia,driver>=525,driver<526 brand=geforce,driver>=525,driver<526"
)


def verdict(require: str | list[str], **changes: object) -> str:
    texts = [require] if isinstance(require, str) else require
    found = judge(release(image_require=texts), machine(**changes))  # type: ignore[arg-type]
    if found.verdict not in {"allow", "jit-fallback"}:
        assert "REQUIRE_UNSATISFIED" in {reason.error for reason in found.reasons}
    return found.verdict


@pytest.mark.parametrize(
    "require, holds",
    [
        ("cuda>=12.4", True),
        ("cuda>=12.5", False),
        ("cuda>12.3", True),
        ("cuda>12.4", False),
        ("cuda<=12.4", True),
        ("cuda<12.4", False),
        ("cuda=12.4", True),
        ("cuda=12.4.0", True),  # zeros at the end do not count
        ("cuda!=12.4", False),
        ("cuda!=12.2", True),
        ("cuda>=v12.4", True),
        ("driver>=550", True),
        ("driver>=550.54.15", True),
        ("driver>=550.54.16", False),
        ("driver<551", True),
        ("driver<550.54.015", False),  # nor do zeros in front
        ("arch>=9.0", True),
        ("arch>=10.0", False),  # numbers, not text
        ("arch<10.0", True),
        ("brand=nvidia", True),
        ("brand!=nvidia", False),
        ("brand=geforce", False),
        ("cuda>=13.0 driver>=550", True),  # a space is an alternative
        ("cuda>=13.0,driver>=550", False),  # a comma is a condition more
        ("cuda>=12.4,brand=geforce brand=nvidia,arch>=9.0", True),
        ("", True),
        ("   ", True),
        ("shape>=2", True),  # a property nobody knows is passed over
        ("shape>=2 cuda>=13.0", False),  # and its alternative does not count
        ("shape>=2,cuda>=12.4", True),
        ("cuda>=12.4,,", True),
        ("NVIDIA_REQUIRE_CUDA=cuda>=12.5", False),
    ],
)
def test_conditions_hold_or_do_not(require: str, holds: bool) -> None:
    assert verdict(require) == ("allow" if holds else "reject")


@pytest.mark.parametrize("require", ["cuda", "cuda>=", "cuda>=twelve", "cuda==12.4", "driver>=550.x", "cuda!12", "=12"])
def test_what_the_runtime_refuses_is_refused(require: str) -> None:
    assert verdict(require) == ("allow" if require == "=12" else "reject")  # "" is a property that nobody knows


def test_all_requirements_must_hold() -> None:
    assert verdict(["cuda>=12.2", "driver>=550"]) == "allow"
    assert verdict(["cuda>=12.2", "driver>=551"]) == "reject"
    assert judge(release(image_require=None), machine()).verdict == "unknown"


@pytest.mark.parametrize(
    "driver, brand, expected",
    [
        ("535.54.03", 14, "allow"),
        ("525.60.13", 14, "allow"),  # by its alternative for the branch
        ("530.30.02", 14, "reject"),
        ("525.60.13", 6, "reject"),
        ("525.60.13", 5, "allow"),
    ],
)
def test_a_real_value(driver: str, brand: int, expected: str) -> None:
    assert verdict(REAL, driver=driver, gpu={"brand": brand}) == expected


def test_that_an_image_lists_geforce_does_not_make_compat_work_there() -> None:
    found = judge(release(image_require=[REAL]), machine(driver="525.60.13", compat=NEWER_COMPAT, gpu={"brand": 5}))
    assert found.verdict == "reject"
    assert {reason.error for reason in found.reasons if reason.effect.verdict == "reject"} == {"804"}


def test_a_fact_that_is_not_known_leaves_it_open() -> None:
    assert verdict("brand=nvidia", gpu={"brand": None}) == "unknown"
    assert verdict("brand=nvidia cuda>=12.2", gpu={"brand": None}) == "allow"
    assert verdict("brand=nvidia", gpu={"brand": 3}) == "unknown"  # no word is known for this brand
    assert verdict("cuda>=13.4", driver="620.10") == "allow"
    assert verdict("cuda>=13.5", driver="620.10") == "unknown"
    assert verdict("cuda<13.5", driver="620.10") == "unknown"
    assert verdict("cuda<13.4", driver="620.10") == "reject"
    assert verdict("cuda>13.3", driver="620.10") == "allow"
    assert verdict("cuda=13.5", driver="620.10") == "unknown"
    assert verdict("cuda=12.4", driver="620.10") == "reject"


def test_the_machine_may_disable_the_requirements() -> None:
    assert verdict("cuda>=99", environment={"NVIDIA_DISABLE_REQUIRE": "true"}) == "allow"
    assert verdict("cuda>=99", environment={"NVIDIA_DISABLE_REQUIRE": "yes"}) == "reject"
    assert judge(RELEASE, machine(environment={"NVIDIA_DISABLE_REQUIRE": "1"})).verdict == "allow"


def test_compat_in_use_is_the_cuda_of_the_machine() -> None:
    assert verdict("cuda>=12.9", driver="550.54.15", compat=NEWER_COMPAT) == "allow"
    assert verdict("cuda>=13.0", driver="550.54.15", compat=NEWER_COMPAT) == "reject"
