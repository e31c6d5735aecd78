"""Compares gitops_model/gpu/facts with what can be had without a GPU; the exit code is 1 when something differs.

    python benchmarks/gpu_facts.py ptxas [PTXAS|WHEEL…]     targets, newest ISA, element types, PTX → GPU
    python benchmarks/gpu_facts.py bindings WHEEL           CUDA → newest ISA, as PyPI cuda-bindings has it
    python benchmarks/gpu_facts.py operators                 operators of the installed onnx
    python benchmarks/gpu_facts.py onnxruntime              IR, opset and CPU kernels of the installed onnxruntime

A WHEEL of nvidia-cuda-nvcc comes from PyPI (`pip download --no-deps nvidia-cuda-nvcc==13.4.92`); without one, `ptxas`
is looked for on PATH. `--matrix` after `ptxas` tries every pair of targets (a minute).
"""

import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parents[1] / "gitops_model" / "gpu" / "facts"

INSTRUCTIONS = {
    "bfloat16": (".reg .b16 a, b, c, d;", "fma.rn.bf16 d, a, b, c;"),
    "float8_e4m3fn": (".reg .f32 a, b; .reg .b16 c;", "cvt.rn.satfinite.e4m3x2.f32 c, a, b;"),
    "float8_e5m2": (".reg .f32 a, b; .reg .b16 c;", "cvt.rn.satfinite.e5m2x2.f32 c, a, b;"),
    "float4_e2m1fn": (".reg .f32 a, b; .reg .b8 c;", "cvt.rn.satfinite.e2m1x2.f32 c, a, b;"),
    "float8_e8m0fnu": (".reg .f32 a, b; .reg .b16 c;", "cvt.rz.satfinite.ue8m0x2.f32 c, a, b;"),
}
"""One instruction that needs hardware for the type."""


def table(name: str) -> dict[str, Any]:
    return json.loads((FACTS / f"{name}.json").read_text(encoding="utf-8"))


def versions(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def number(arch: str) -> int:
    return int(arch.rstrip("af"))


# --- ptxas ---------------------------------------------------------------------------------------------------------
class Ptxas:
    """One assembler."""

    def __init__(self, program: Path, scratch: Path) -> None:
        self.program, self.scratch = program, scratch

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run([self.program, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assembles(self, isa: str, target: str, gpu: str, code: str = "") -> bool:
        source = self.scratch / "one.ptx"
        source.write_text(f".version {isa}\n.target sm_{target}\n.address_size 64\n.entry k() {{ {code} ret; }}\n")
        return self.run("-arch", f"sm_{gpu}", str(source), "-o", "/dev/null")[0] == 0

    def release(self) -> str:
        return re.findall(r"release (\d+\.\d+)", self.run("--version")[1])[0]

    def targets(self) -> list[str]:
        return sorted(set(re.findall(r"'sm_(\d+[af]?)'", self.run("--help")[1])), key=lambda arch: (number(arch), arch))

    def newest_isa(self) -> str:
        source = self.scratch / "new.ptx"
        source.write_text(".version 99.9\n.target sm_90\n.address_size 64\n")
        return re.findall(r"current version is '([\d.]+)'", self.run("-arch", "sm_90", str(source))[1])[0]


def assemblers(words: list[str], scratch: Path) -> Iterator[Ptxas]:
    names = [word for word in words if not word.startswith("--")] or [shutil.which("ptxas") or "ptxas"]
    for place, name in enumerate(names):
        if not name.endswith(".whl"):
            yield Ptxas(Path(name), scratch)
            continue
        with zipfile.ZipFile(name) as wheel:
            member = next(entry for entry in wheel.namelist() if entry.endswith("/bin/ptxas"))
            program = scratch / f"ptxas{place}"
            program.write_bytes(wheel.read(member))
            program.chmod(0o755)
        yield Ptxas(program, scratch)


def compare_ptxas(words: list[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        for ptxas in assemblers(words, Path(folder)):
            release = ptxas.release()
            row = next((row for row in table("toolkits")["toolkits"] if row["toolkit"] == release), None)
            print(f"ptxas {release}: ISA {ptxas.newest_isa()}, {len(ptxas.targets())} targets")
            if row is None:
                yield f"no row for toolkit {release}"
                continue
            if row["sass"] != ptxas.targets():
                yield f"{release}: targets {sorted(set(row['sass']) ^ set(ptxas.targets()))} differ"
            if row["ptx_isa"] != ptxas.newest_isa():
                yield f"{release}: ISA {ptxas.newest_isa()}, not {row['ptx_isa']}"
            yield from compare_dtypes(ptxas)
            yield from compare_targets(ptxas)
            if "--matrix" in words:
                yield from compare_matrix(ptxas)


def compare_dtypes(ptxas: Ptxas) -> Iterator[str]:
    """The floor of each type is the lowest GPU for which the assembler takes its instruction, with any suffix."""
    floors = {row["dtype"]: row["floor"] for row in table("dtypes")["dtypes"]}
    isa, targets = ptxas.newest_isa(), ptxas.targets()
    for dtype, (registers, instruction) in INSTRUCTIONS.items():
        fits = [arch for arch in targets if ptxas.assembles(isa, arch, arch, f"{registers} {instruction}")]
        if fits:
            lowest = min(map(number, fits))
            if floors[dtype] != f"{lowest // 10}.{lowest % 10}":
                yield f"{dtype}: floor {lowest}, not {floors[dtype]}"


def compare_targets(ptxas: Ptxas) -> Iterator[str]:
    """No target is taken with an ISA before its own: verdicts call such PTX impossible."""
    known = {row["arch"]: row["ptx_isa"] for row in table("capabilities")["targets"]}
    isas = sorted({row["ptx_isa"] for row in table("drivers")["ptx"]} | set(known.values()), key=versions)
    for arch in ptxas.targets():
        isa = known.get(arch)
        if isa is None or versions(isa) > versions(ptxas.newest_isa()):
            continue
        before = [older for older in isas if versions(older) < versions(isa)]
        if not ptxas.assembles(ptxas.newest_isa(), arch, arch):
            yield f"sm_{arch} is not taken at all"
        if before and versions(before[-1]) >= (7, 0) and ptxas.assembles(before[-1], arch, arch):
            yield f"sm_{arch} is taken with ISA {before[-1]} already"


def compare_matrix(ptxas: Ptxas) -> Iterator[str]:
    known = {row["ptx"]: set(row["gpus"]) for row in table("ptx_jit_matrix")["rows"]}
    targets = ptxas.targets()
    for source in targets:
        fits = {gpu for gpu in targets if ptxas.assembles(ptxas.newest_isa(), source, gpu)}
        if source in known and fits != known[source] & set(targets):
            yield f"PTX for sm_{source}: {sorted(fits ^ (known[source] & set(targets)))} differ"


# --- tables of others ----------------------------------------------------------------------------------------------
def compare_bindings(words: list[str]) -> Iterator[str]:
    with zipfile.ZipFile(words[0]) as wheel:
        member = next(entry for entry in wheel.namelist() if entry.endswith("_ptx_utils.py"))
        tree = ast.parse(wheel.read(member))
    ours = {row["ptx_isa"]: row["cuda"] for row in table("drivers")["ptx"] if row["cuda"] != "12.6"}
    theirs: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            found = ast.literal_eval(node)
            pairs = [(str(key), value) for key, value in found.items() if isinstance(value, tuple)]
            theirs |= {key: ".".join(map(str, value)) for key, value in pairs if re.fullmatch(r"\d+\.\d+", key)}
    theirs = {isa: cuda for isa, cuda in theirs.items() if versions(cuda) >= (11, 0)}
    print(f"{len(theirs)} rows")
    for isa in sorted(set(ours) | set(theirs), key=versions):
        if ours.get(isa) != theirs.get(isa):
            yield f"ISA {isa}: CUDA {ours.get(isa)} here, {theirs.get(isa)} there"


def operators() -> dict[str, Any]:
    """Both tables of operators from the installed package."""
    import onnx
    from onnx import defs

    source = f"onnx {onnx.__version__}: onnx.defs.get_all_schemas_with_history()"
    domains: dict[str, dict[str, list[int]]] = {}
    functions: dict[tuple[str, int], list[str] | None] = {}
    for schema in defs.get_all_schemas_with_history():
        domain = schema.domain or "ai.onnx"
        if domain.startswith("ai.onnx.preview"):
            continue
        domains.setdefault(domain, {}).setdefault(schema.name, []).append(schema.since_version)
        if schema.has_function:
            body = sorted({node.op_type for node in schema.function_body.node})
            functions[schema.name, schema.since_version] = body
        elif schema.has_context_dependent_function:
            functions[schema.name, schema.since_version] = ["Cast"] if schema.name == "CastLike" else None
    newest = {"ai.onnx": defs.onnx_opset_version()}
    return {
        "source": source,
        "domains": {
            domain: {
                "newest": newest.get(domain, max(map(max, names.values()))),
                "versions": {name: sorted(found) for name, found in sorted(names.items())},
            }
            for domain, names in sorted(domains.items())
        },
        "functions": dict(sorted(functions.items())),
    }


def compare_operators(_: list[str]) -> Iterator[str]:
    new, old = operators(), table("onnx_operators")
    print(new["source"])
    for row in old["domains"]:
        found = new["domains"][row["domain"]]
        for key in ("newest", "versions"):
            if row[key] != found[key]:
                yield f"{row['domain']}: {key} differ"
    bodies = {(row["operator"], row["since"]): row["body"] for row in old["functions"]}
    for key in sorted(set(bodies) | set(new["functions"])):
        # the one body that is expanded by hand is that of GroupNormalization 21, for float32
        if bodies.get(key, "absent") != new["functions"].get(key, "absent") and key != ("GroupNormalization", 21):
            yield f"{key}: {bodies.get(key, 'absent')} here, {new['functions'].get(key, 'absent')} there"


def compare_onnxruntime(_: list[str]) -> Iterator[str]:
    import onnxruntime
    from onnx import TensorProto, helper
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    release = ".".join(onnxruntime.__version__.split(".")[:2])
    row = next((row for row in table("onnxruntime")["releases"] if row["version"] == release), None)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    limits: dict[str, int] = {}
    for key, ir, opset, pattern in (
        ("ir", 99, 13, r"max supported IR version: (\d+)"),
        ("opset", 8, 99, r"till opset (\d+)"),
    ):
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one", [value], [out])
        model = helper.make_model(graph, ir_version=ir, opset_imports=[helper.make_opsetid("", opset)])
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - whatever it raises, its text is the measurement
            limits[key] = int(re.findall(pattern, str(error))[0])
    kernels = sum(1 for kernel in state.get_all_opkernel_def() if kernel.provider == "CPUExecutionProvider")
    print(f"onnxruntime {onnxruntime.__version__}: {limits}, {kernels} CPU kernels")
    if row is None:
        yield f"no row for {release}"
    elif {key: row[key] for key in limits} != limits:
        yield f"{release}: {limits}, not { ({key: row[key] for key in limits}) }"


PARTS = {
    "ptxas": compare_ptxas,
    "bindings": compare_bindings,
    "operators": compare_operators,
    "onnxruntime": compare_onnxruntime,
}


def main(words: list[str]) -> int:
    if not words or words[0] not in PARTS:
        print(__doc__)
        return 2
    differences = list(PARTS[words[0]](words[1:]))
    print("\n".join(differences) or "the same")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
