"""The fact tables: every row says where it comes from, and they agree with one another and with measurements."""

import json
import os
import re
from datetime import date
from typing import Any

import pytest

from gitops_model.gpu import facts
from gitops_model.gpu.kernels import ptx_compiles, sass_runs
from gitops_model.gpu.versions import Range, parse, show

FOLDER = os.path.dirname(facts.__file__)


def test_the_tables_are_the_files_of_the_folder() -> None:
    files = {name.removesuffix(".json") for name in os.listdir(FOLDER) if name.endswith(".json")}
    assert files == set(facts.TABLES)


@pytest.mark.parametrize("name", facts.TABLES)
def test_every_row_has_a_source_and_a_day(name: str) -> None:
    table = facts.table(name)
    assert table["about"]
    rows = [row for key, value in table.items() if key not in {"about", "type_sets"} for row in value]
    assert rows
    for row in rows:
        assert len(row.get("source", "")) > 10, row
        assert date.fromisoformat(row["date"]) <= date.today(), row  # noqa: DTZ011 - the rows bear no time zone


def test_no_table_says_a_thing_twice() -> None:
    keys: dict[tuple[str, str], tuple[str, ...]] = {
        ("toolkits", "toolkits"): ("toolkit",),
        ("drivers", "branches"): ("branch",),
        ("drivers", "ptx"): ("cuda",),
        ("capabilities", "capabilities"): ("capability",),
        ("capabilities", "families"): ("arch",),
        ("capabilities", "targets"): ("arch",),
        ("dtypes", "dtypes"): ("dtype",),
        ("forward_compat", "brands"): ("brand",),
        ("libraries", "cudnn"): ("version",),
        ("onnxruntime", "releases"): ("version",),
        ("onnxruntime", "builds"): ("version",),
        ("onnxruntime_kernels", "releases"): ("version",),
        ("onnx_operators", "functions"): ("operator", "since"),
    }
    for (name, key), fields in keys.items():
        found = [tuple(row[field] for field in fields) for row in facts.rows(name, key)]
        assert len(found) == len(set(found)), (name, key)


# --- errors of public tables that must not come back -----------------------------------------------------------------
def test_known_errors_of_public_tables_are_not_in_ours() -> None:
    toolkits = {row["toolkit"]: row for row in facts.rows("toolkits", "toolkits")}
    assert "120a" in toolkits["12.8"]["sass"]  # meson: 12.9
    assert "87" in toolkits["11.4"]["sass"]  # meson: 11.5
    assert "12.7" not in toolkits  # never released; its driver branch exists
    assert facts.cuda_of_driver(parse("565.57.01")) == Range((12, 7), (12, 7))
    assert toolkits["12.6"]["ptx_isa"] == "8.5"  # cuda-bindings maps 8.6 to 12.7
    assert toolkits["12.4"]["driver_floor"] == toolkits["12.2"]["driver_floor"] == "525.60.13"
    assert "90a" in toolkits["12.0"]["sass"]
    assert facts.capabilities()[10, 3]["names"].find("GB300") >= 0  # a mock has it as 10.0


# --- toolkits and drivers --------------------------------------------------------------------------------------------
def test_the_toolkits_rise() -> None:
    rows = facts.rows("toolkits", "toolkits")
    versions = [parse(row["toolkit"]) for row in rows]
    assert versions == sorted(versions)
    for field in ("driver_floor", "ptx_isa"):
        values = [parse(row[field]) for row in rows]
        assert values == sorted(values), field
    branches = [row["branch"] for row in rows if row["branch"]]
    assert branches == sorted(branches)
    for row in rows:
        for driver in row["bundled_drivers"].values():
            assert parse(driver) >= parse(row["driver_floor"]), row
            assert parse(driver)[0] == row["branch"], row
            assert facts.cuda_of_driver(parse(driver)).known == parse(row["toolkit"]), row


def test_the_driver_of_a_toolkit_compiles_the_ptx_of_that_toolkit() -> None:
    limits = {row["cuda"]: row["ptx_isa"] for row in facts.rows("drivers", "ptx")}
    for row in facts.rows("toolkits", "toolkits"):
        assert limits[row["toolkit"]] == row["ptx_isa"]


@pytest.mark.parametrize(
    "driver, low, high",
    [
        ("550.54.15", (12, 4), (12, 4)),
        ("552.44", (12, 4), (12, 5)),  # a branch that no row has lies between those around it
        ("620.10", (13, 4), None),
        ("440.33", None, (11,)),
    ],
)
def test_what_no_row_has_is_a_range(driver: str, low: Any, high: Any) -> None:
    assert facts.cuda_of_driver(parse(driver)) == Range(low, high)


def test_the_isa_limit_of_a_range_is_a_range() -> None:
    def limit(low: Any, high: Any) -> tuple[str | None, str | None]:
        found = facts.ptx_limit(Range(low, high))
        return found.low and show(found.low), found.high and show(found.high)

    assert limit((12, 4), (12, 4)) == ("8.4", "8.4")
    assert limit((12, 4), (12, 5)) == ("8.4", "8.5")
    assert limit((13, 4), None) == ("9.4", None)
    assert limit((14,), (14,)) == ("9.5", None)
    assert limit(None, None) == (None, None)
    assert limit((10, 2), (10, 2)) == (None, "7.0")


# --- GPUs ------------------------------------------------------------------------------------------------------------
def pairs() -> list[tuple[str, str, bool]]:
    """(PTX target, GPU target, compiles) of the measured matrix; GPU targets without a suffix stand for the GPU."""
    rows = facts.rows("ptx_jit_matrix", "rows")
    gpus = sorted({gpu for row in rows for gpu in row["gpus"]} - {"101", "101a", "101f"})
    return [(row["ptx"], gpu, gpu in row["gpus"]) for row in rows for gpu in gpus if gpu.isdigit()]


def test_the_rule_for_ptx_agrees_with_every_measured_pair() -> None:
    suffixed = {row["ptx"]: set(row["gpus"]) for row in facts.rows("ptx_jit_matrix", "rows")}
    assert len(pairs()) > 400
    for ptx, gpu, compiles in pairs():
        capability = (int(gpu[:-1]), int(gpu[-1]))
        # ptxas takes PTX with suffix `a` only for the target with that suffix, which the driver uses for such a GPU
        expected = compiles or f"{gpu}a" in suffixed[ptx]
        assert ptx_compiles(ptx, capability) is expected, (ptx, gpu)


def test_every_gpu_that_a_toolkit_knows_is_in_the_table_with_that_toolkit() -> None:
    for row in facts.rows("toolkits", "toolkits"):
        for arch in row["sass"]:
            number = re.sub(r"[af]$", "", arch)
            gpu = (int(number[:-1]), int(number[-1]))
            if gpu[0] < 5:
                continue
            first = facts.capabilities()[gpu].get("first_toolkit", "11.0")
            assert parse(first) <= parse(row["toolkit"]), arch


def test_a_cubin_for_a_gpu_runs_on_that_gpu() -> None:
    for gpu in facts.capabilities():
        assert sass_runs(f"{gpu[0]}{gpu[1]}", gpu) is True
        assert sass_runs(f"{gpu[0]}{gpu[1]}a", gpu) is True
        for other in facts.capabilities():
            if other[0] != gpu[0] and {gpu, other} != {(10, 1), (11, 0)}:
                assert sass_runs(f"{gpu[0]}{gpu[1]}", other) is False


def test_a_family_holds_its_first_member() -> None:
    for arch, members in facts.families().items():
        number = arch.rstrip("af")
        assert (int(number[:-1]), int(number[-1])) in members


# --- ONNX ------------------------------------------------------------------------------------------------------------
def test_function_bodies_lead_to_operators_and_end() -> None:
    versions = facts.operator_versions("ai.onnx") or {}
    bodies = facts.function_bodies()

    def inside(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, path
        assert name in versions, name
        for (operator, _), body in bodies.items():
            if operator == name:
                for part in body or ():
                    inside(part, (*path, name))

    for operator, _ in bodies:
        inside(operator, ())


def test_kernels_are_of_operators_that_onnx_has() -> None:
    known = {"ai.onnx": facts.operator_versions("ai.onnx"), "ai.onnx.ml": facts.operator_versions("ai.onnx.ml")}
    retired = {"Affine", "Crop", "DynamicSlice", "ImageScaler", "ParametricSoftplus", "Scale", "ScaledTanh"}
    retired |= {
        "MemcpyFromHost",
        "MemcpyToHost",
        "SimplifiedLayerNormalization",
        "GivenTensorFill",
        "BifurcationDetector",
    }
    sets = facts.table("onnxruntime_kernels")["type_sets"]
    for row in facts.rows("onnxruntime_kernels", "releases"):
        for provider in ("cuda", "cpu"):
            for domain, operators in row.get(provider, {}).items():
                for name, ranges in operators.items():
                    versions = known.get(domain)
                    assert versions is None or name in versions or name in retired, (domain, name)
                    for first, last, *types in ranges:
                        assert first >= 1
                        assert last is None or last >= first
                        assert all(0 <= number < len(sets) for group in types for number in group.values())


def test_the_runtimes_rise() -> None:
    rows = facts.rows("onnxruntime", "releases")
    for field in ("opset", "ir"):
        values = [row[field] for row in rows]
        assert values == sorted(values)
    versions = [parse(row["version"]) for row in rows]
    assert versions == sorted(versions)
    for row in facts.rows("onnxruntime", "builds"):
        release = facts.onnxruntime_releases()[parse(row["version"])[:2]]
        assert parse(release["cuda"])[0] == parse(row["cuda"])[0]


def test_a_driver_below_the_table_of_jetson_is_not_guessed() -> None:
    assert facts.cuda_of_jetson(parse("540.4.0")).known == (12, 6)
    assert facts.cuda_of_jetson(parse("540.3.0")) == Range(None, None)


def test_the_files_are_text_that_a_person_can_compare() -> None:
    for name in facts.TABLES:
        with open(os.path.join(FOLDER, f"{name}.json"), encoding="utf-8") as stream:
            text = stream.read()
        assert json.loads(text)
        assert text.endswith("}\n")
        assert text.count("\n") > 5, f"{name} is one long line"


def test_the_operators_are_those_of_the_installed_onnx() -> None:
    """`benchmarks/gpu_facts.py operators` says the same of any other release of onnx."""
    from onnx import defs

    for schema in defs.get_all_schemas_with_history():
        domain = schema.domain or "ai.onnx"
        newest = facts.newest_opset(domain)
        if newest is not None and schema.since_version <= newest:
            assert schema.since_version in (facts.operator_versions(domain) or {})[schema.name], schema.name
