"""The requirements of an image's environment, as the toolkit collects them."""

import pytest

from gitops_model.gpu.nvidia_require import stated


@pytest.mark.parametrize(
    "environment, require",
    [
        ({}, ()),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, ()),
        ({"NVIDIA_REQUIRE_CUDA": "cuda>=12.2"}, ("cuda>=12.2",)),
        ({"NVIDIA_REQUIRE_CUDA": "cuda>=12.2", "CUDA_VERSION": "12.2.0"}, ("cuda>=12.2",)),
        ({"CUDA_VERSION": "12.2.0"}, ("cuda>=12.2",)),
        ({"CUDA_VERSION": "12.4.0.41"}, ("cuda>=12.4",)),
        ({"CUDA_VERSION": "13"}, ("cuda>=13.0",)),
        ({"NVIDIA_REQUIRE_CUDA": "", "CUDA_VERSION": "9.2"}, ("cuda>=9.2",)),
        ({"NVIDIA_REQUIRE_DRIVER": "driver>=550", "NVIDIA_REQUIRE_ARCH": "arch>=8.0"}, ("arch>=8.0", "driver>=550")),
        ({"NVIDIA_REQUIRE_JETPACK": "x", "NVIDIA_REQUIRE_JETPACK_HOST_MOUNTS": "y"}, ()),
    ],
)
def test_each_variable_is_a_requirement(environment: dict[str, str], require: tuple[str, ...]) -> None:
    assert stated(environment).require == require


@pytest.mark.parametrize(
    "value, disabled", [("true", True), ("1", True), ("T", True), ("yes", False), ("0", False), ("", False)]
)
def test_they_are_disabled_as_go_reads_a_bool(value: str, disabled: bool) -> None:
    found = stated({"NVIDIA_REQUIRE_CUDA": "cuda>=99.0", "NVIDIA_DISABLE_REQUIRE": value})
    assert found.disabled is disabled
    assert bool(found.require) is not disabled


@pytest.mark.parametrize(
    "environment, versions",
    [
        ({"CUDA_VERSION": "12.4.1", "NV_CUDNN_VERSION": "9.1.0.70-1"}, {"cuda_runtime": "12.4.1", "cudnn": "9.1.0.70"}),
        (
            {"CUDA_VERSION": "12.4.0.41", "CUDNN_VERSION": "9.0.0.306", "TRT_VERSION": "8.6.3.1+cuda12.2.2.009"},
            {"cuda_runtime": "12.4.0.41", "cudnn": "9.0.0.306", "tensorrt": "8.6.3.1"},
        ),
        ({}, {}),
    ],
    ids=["Docker Hub", "NGC", "none"],
)
def test_what_an_image_says_it_carries(environment: dict[str, str], versions: dict[str, str]) -> None:
    assert stated(environment).versions == versions


def test_a_version_that_is_none_is_a_problem() -> None:
    found = stated({"CUDA_VERSION": "latest"})
    assert [problem.code for problem in found.problems] == ["GM002"]
    assert found.require == ()
