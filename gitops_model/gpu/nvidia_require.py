"""The needs that a container image states in its environment, as the NVIDIA container toolkit collects them.

Every `NVIDIA_REQUIRE_*` but `NVIDIA_REQUIRE_JETPACK*` is one requirement; all must hold. An image with CUDA_VERSION and
no NVIDIA_REQUIRE_CUDA ("legacy") needs `cuda>=MAJOR.MINOR`. NVIDIA_DISABLE_REQUIRE with a true value drops them all.
Source: NVIDIA/nvidia-container-toolkit internal/config/image/cuda_image.go (1081cece, read 2026-11-24). The toolkit's
`nvidia` runtime in its default mode (1.18 and newer) does not evaluate them; that they are met is still what the image
was built for.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gitops_model.errors import Problem

PREFIX, JETPACK = "NVIDIA_REQUIRE_", "NVIDIA_REQUIRE_JETPACK"
_TRUE = ("1", "t", "T", "TRUE", "true", "True")  # Go's strconv.ParseBool
_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.\d{1,9})*(?:[-+][0-9A-Za-z.+-]*)?\Z")


class Stated(NamedTuple):
    """`require` are the values; `versions` what an image says it carries, by cuda_runtime, cudnn and tensorrt."""

    require: tuple[str, ...]
    disabled: bool
    versions: dict[str, str]
    problems: tuple[Problem, ...]


def stated(environment: Mapping[str, str]) -> Stated:
    versions: dict[str, str] = {}
    problems: list[Problem] = []
    # CUDA_VERSION is in every CUDA image; NV_* in those of Docker Hub, the others in those of NGC.
    for key, names in (
        ("cuda_runtime", ("CUDA_VERSION",)),
        ("cudnn", ("NV_CUDNN_VERSION", "CUDNN_VERSION")),
        ("tensorrt", ("TRT_VERSION",)),
    ):
        text = next((environment[name] for name in names if environment.get(name)), None)
        if text is not None:
            number = re.match(r"v?(\d{1,9}(?:\.\d{1,9}){1,3})(?![\d])", text)
            if number is None:
                problems.append(Problem("GM002", f"the image's {names[0]} is not a version", found=text[:200]))
            else:
                versions[key] = number[1]
    disabled = environment.get("NVIDIA_DISABLE_REQUIRE", "") in _TRUE
    if disabled:
        return Stated((), disabled, versions, tuple(problems))
    require = [
        value
        for name, value in sorted(environment.items())
        if name.startswith(PREFIX) and not name.startswith(JETPACK) and value
    ]
    if environment.get("CUDA_VERSION") and not environment.get(PREFIX + "CUDA"):
        version = _VERSION.match(environment["CUDA_VERSION"])
        if version is not None:
            require.append(f"cuda>={version[1]}.{version[2] or '0'}")
    return Stated(tuple(require), disabled, versions, tuple(problems))
