"""Laws of the verdict: a better machine or more code never turns allow into reject, silence never turns into allow."""

from copy import deepcopy
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from support.machines import NEWER_COMPAT, image

from gitops_model.gpu import facts
from gitops_model.gpu.compat import judge
from gitops_model.gpu.versions import show

RANK = {"allow": 0, "jit-fallback": 1, "unknown": 2, "reject": 3}
DRIVERS = ["450.80.02", "470.57.02", "525.60.12", "525.60.13", "535.54.03", "550.54.15", "555.42.02"]
DRIVERS += ["560.35.03", "570.26", "575.57.08", "580.65.06", "580.95.05", "590.48.01", "610.43.02", "620.10"]
GPUS = ["7.5", "8.0", "8.6", "8.7", "8.9", "9.0", "10.0", "10.3", "11.0", "12.0", "12.1", "13.0"]
IMAGES = ["sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_90a", "sm_100", "sm_100a", "sm_100f", "sm_103a"]
IMAGES += ["sm_110", "sm_120", "sm_120a", "sm_120f", "compute_75@7.8", "compute_80@8.4", "compute_90@8.7"]
IMAGES += ["compute_90@9.3", "compute_100f@8.8", "compute_90a@8.0", "compute_120@9.9", "compute_80"]

DEFECTS: list[tuple[str, Any]] = [
    ("libcuda_present", False),
    ("libcuda_present", None),
    ("nvml_status", 9),
    ("nvml_status", 18),
    ("nvml_status", 12),
    ("gpus", []),
    ("environment", {"CUDA_DISABLE_PTX_JIT": "1"}),
    ("environment", {"CUDA_FORCE_PTX_JIT": "1"}),
    ("environment", {"CUDA_VISIBLE_DEVICES": ""}),
    ("environment", {"CUDA_VISIBLE_DEVICES": "0"}),
    ("libraries", []),
]
GPU_DEFECTS: list[tuple[str, Any]] = [
    ("mig", True),
    ("mig", "1g.10gb"),
    ("ecc_uncorrected", 1),
    ("ecc_uncorrected", None),
    ("ecc_mode", "disabled"),
    ("remap_failed", True),
    ("compute_mode", "prohibited"),
    ("compute_mode", "exclusive-process"),
    ("processes", 1),
    ("fabric", "not-ready"),
    ("brand", 5),
    ("brand", 0),
    ("memory_mib", 4000),
    ("memory_free_mib", 100),
]


@st.composite
def gpus(draw: Any) -> dict[str, Any]:
    gpu: dict[str, Any] = {
        "name": "NVIDIA GPU",
        "uuid": f"GPU-{draw(st.integers(0, 10**9))}",
        "compute_capability": draw(st.sampled_from(GPUS)),
        "brand": draw(st.sampled_from([2, 14])),
        "memory_mib": 80000,
        "memory_free_mib": 78000,
        "mig": False,
        "ecc_uncorrected": 0,
        "ecc_mode": "enabled",
        "remap_failed": False,
        "compute_mode": "default",
        "processes": 0,
        "fabric": None,
    }
    if draw(st.integers(0, 2)) == 0:
        gpu.update([draw(st.sampled_from(GPU_DEFECTS))])
    return gpu


@st.composite
def targets(draw: Any) -> dict[str, Any]:
    """Machines that exist: the halves of the driver belong together unless cuda-compat stands between them."""
    driver = draw(st.one_of(st.sampled_from(DRIVERS), st.sampled_from(DRIVERS[-6:])))
    target: dict[str, Any] = {
        "driver": driver,
        "libcuda_present": True,
        "nvml_status": 0,
        "gpus": draw(st.lists(gpus(), min_size=1, max_size=2)),
        "compat": None,
        "libraries": [
            {"soname": "libcuda.so.1"},
            {"soname": "libnvidia-ptxjitcompiler.so.1"},
            {"soname": "libcudnn.so.9", "symbols": ["cudnnCreate"]},
        ],
        "environment": {},
    }
    if draw(st.integers(0, 5)) == 0:
        target["compat"] = {**NEWER_COMPAT, "in_use": draw(st.sampled_from([None, True, False]))}
    if draw(st.integers(0, 2)) == 0:
        target.update([draw(st.sampled_from(DEFECTS))])
    host = facts.cuda_of_driver(tuple(map(int, driver.split(".")))).known
    tegra = any(gpu["compute_capability"] in {"8.7", "11.0"} for gpu in target["gpus"])
    if host is not None and not tegra and target["compat"] is None and draw(st.booleans()):
        target["cuda_driver"] = show(host)
    return target


@st.composite
def releases(draw: Any) -> dict[str, Any]:
    containers = st.lists(st.sampled_from(IMAGES), min_size=1, max_size=8)
    groups = draw(st.lists(containers, min_size=1, max_size=3))
    path = draw(st.sampled_from(["lib/own.so", "lib/libcublasLt.so.12"]))
    needs: dict[str, Any] = {
        "cuda_runtime": draw(st.sampled_from(["11.0", "11.8", "11.8", "12.4", "12.4", "12.9", "13.0", "13.9", "14.0"])),
        "binaries": [{"path": path, "containers": [{"images": [image(name) for name in names]} for names in groups]}],
    }
    more: list[dict[str, Any]] = [
        {"memory_mib": draw(st.sampled_from([0, 100, 101, 4000, 4001, 78000, 78001, 90000]))},
        {"dtypes": draw(st.lists(st.sampled_from(["float32", "bfloat16", "float8_e4m3fn", "float9"]), max_size=2))},
        {"sonames": draw(st.lists(st.sampled_from(["libcudnn.so.9", "libcuda.so.1", "libnope.so.1"]), max_size=2))},
        {"symbols": [draw(st.sampled_from(["cudnnCreate@libcudnn.so.9", "cudnnNo@libcudnn.so.9"]))]},
        {"image_require": [draw(st.sampled_from(["cuda>=12.2", "brand=nvidia cuda>=13.0", "arch>=8.0,driver>=535"]))]},
        {
            "onnxruntime": draw(st.sampled_from(["1.23.2", "1.31.1", "1.31.1", "1.32.0", "1.40"])),
            "onnx": {
                "ir_version": draw(st.sampled_from([8, 8, 13, 20])),
                "opset": {"ai.onnx": draw(st.sampled_from([17, 22, 26, 40]))},
                "operators": draw(st.lists(st.sampled_from(["Conv", "Conv", "Mish", "Tan", "Nope"]), max_size=2)),
            },
        },
        {
            "engines": [
                {"compute_capability": draw(st.sampled_from(GPUS)), "tensorrt": "10.9.0", "hardware_compatible": False}
            ],
            "tensorrt": draw(st.sampled_from(["10.9.0", "10.8.0"])),
        },
    ]
    for part in draw(st.lists(st.sampled_from(range(len(more))), max_size=2, unique=True)):
        needs |= more[part]
    return needs


@st.composite
def cases(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A release and a machine; mostly the code is for the GPUs, so that one other thing decides."""
    needs, target = draw(releases()), draw(targets())
    if draw(st.integers(0, 3)):
        for container in needs["binaries"][0]["containers"]:
            container["images"] += [image(f"sm_{gpu['compute_capability'].replace('.', '')}") for gpu in target["gpus"]]
    if draw(st.integers(0, 3)):
        for engine in needs.get("engines", ()):
            engine["compute_capability"] = target["gpus"][0]["compute_capability"] if target["gpus"] else "9.0"
    return needs, target


def verdict(needs: dict[str, Any], target: dict[str, Any]) -> str:
    return judge(needs, target).verdict


@given(cases())
def test_a_verdict_says_why(case: Any) -> None:
    found = judge(*case)
    ranks = [reason.effect.verdict for reason in found.reasons]
    assert max((RANK[rank] for rank in ranks), default=0) == RANK[found.verdict]
    for reason in found.reasons:
        assert reason.message
        assert reason.source
        assert reason.fix or not reason.effect
    if found.gpus:
        assert max(RANK[gpu.verdict] for gpu in found.gpus) == RANK[found.verdict]


@given(cases(), st.sampled_from(DRIVERS))
def test_a_newer_driver_never_turns_allow_into_reject(case: Any, driver: str) -> None:
    needs, target = case
    assume(tuple(map(int, driver.split("."))) >= tuple(map(int, target["driver"].split("."))))
    assume(target["compat"] is None)  # the note of a compat package may list an old branch and not a newer one
    newer = {**target, "driver": driver}
    newer.pop("cuda_driver", None)
    if verdict(needs, target) in {"allow", "jit-fallback"}:
        assert verdict(needs, newer) != "reject"


@given(cases(), st.lists(st.sampled_from([name for name in IMAGES if name.startswith("sm")])), st.data())
def test_more_machine_code_never_turns_allow_into_reject(case: Any, more: list[str], data: Any) -> None:
    needs, target = case
    richer = deepcopy(needs)
    containers = richer["binaries"][0]["containers"]
    container = containers[data.draw(st.integers(0, len(containers) - 1))]
    container["images"] += [image(name) for name in more]
    before, after = verdict(needs, target), verdict(richer, target)
    if before in {"allow", "jit-fallback"}:
        assert after != "reject"
    if before == "allow":
        assert after == "allow"


@given(cases(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_memory_never_makes_it_worse(case: Any, total: int, free: int) -> None:
    needs, target = case
    larger = deepcopy(target)
    for gpu in larger["gpus"]:
        gpu["memory_mib"] += total
        gpu["memory_free_mib"] += free
    assert RANK[verdict(needs, larger)] <= RANK[verdict(needs, target)]


def places(target: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Every fact of a target by its path. A GPU's name is none, and the version of a library is not one that decides
    where NVML has started: libraries of one driver come together."""
    found: list[tuple[Any, ...]] = [(key,) for key in target]
    for number, gpu in enumerate(target["gpus"]):
        found += [("gpus", number, key) for key in gpu if key != "name"]
    for number, library in enumerate(target["libraries"]):
        found += [("libraries", number, key) for key in library if key not in {"soname", "version"}]
    if target["compat"]:
        found += [("compat", key) for key in target["compat"] if key != "in_use"]
    return found


@given(cases(), st.data())
def test_a_fact_less_never_allows_what_was_not_allowed(case: Any, data: Any) -> None:
    needs, target = case
    path = data.draw(st.sampled_from(places(target)))
    silent = deepcopy(target)
    holder: Any = silent
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    before, after = verdict(needs, target), verdict(needs, silent)
    if before in {"unknown", "reject"}:
        assert after not in {"allow", "jit-fallback"}, path


NEEDS = [
    "ptx_isa",
    "ir_version",
    "opset",
    "operators",
    "compute_capability",
    "tensorrt",
    "hardware_compatible",
    "images",
]


@given(cases(), st.sampled_from(NEEDS), st.booleans())
def test_a_need_less_known_never_allows_what_was_not_allowed(case: Any, key: str, null: bool) -> None:
    """Facts about a thing that is needed; a need that is not there at all is no need."""
    needs, target = case
    silent = deepcopy(needs)
    things = [silent.get("onnx", {}), *silent.get("engines", ())]
    for binary in silent["binaries"]:
        things += [binary, *(one for container in binary["containers"] for one in container["images"])]
        if key == "images":
            binary.pop("containers")
            binary["images"] = None
    for thing in things:
        if key in thing and key != "images":
            if null:
                thing[key] = None
            else:
                del thing[key]
    if verdict(needs, target) in {"unknown", "reject"}:
        assert verdict(silent, target) not in {"allow", "jit-fallback"}


@given(cases(), st.sampled_from(["cuda_runtime", "binaries", "memory_mib", "dtypes", "sonames", "engines"]))
def test_a_need_that_nobody_could_find_out_is_never_allowed(case: Any, key: str) -> None:
    needs, target = case
    assert verdict({**needs, key: None}, target) in {"unknown", "reject"}
