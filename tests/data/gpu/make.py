"""Make the small device binaries of this folder with nvcc (13.0 made the committed ones), and what they must hold.

    python tests/data/gpu/make.py [FOLDER]

`expected.json` comes from the -gencode options alone, not from any reader: it is what the scanner must find.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

KERNEL = """
__device__ int table[64];
extern "C" __global__ void kernel(int *p) { p[threadIdx.x] = table[threadIdx.x & 63]; }
"""


class Case(NamedTuple):
    """One nvcc run: `gencode` is (virtual, real) as in `-gencode arch=compute_VIRTUAL,code=REAL`."""

    name: str
    gencode: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ("-fatbin",)


CASES = (
    Case("one.fatbin", (("75", "sm_75"),)),
    Case("many.fatbin", tuple((arch, f"sm_{arch}") for arch in ("75", "80", "86", "89", "90", "100", "120"))),
    Case("ptx.fatbin", (("75", "compute_75"), ("90", "compute_90"))),
    Case("special.fatbin", (("90a", "sm_90a"), ("90a", "compute_90a"), ("100a", "sm_100a"), ("120a", "sm_120a"))),
    Case("family.fatbin", (("100f", "sm_100f"), ("103f", "sm_103f"), ("120f", "sm_120f"), ("120f", "compute_120f"))),
    Case("tegra.fatbin", (("87", "sm_87"), ("88", "sm_88"), ("110f", "sm_110f"))),
    Case("lto.fatbin", (("80", "lto_80"), ("90a", "lto_90a"), ("90a", "sm_90a")), ("-fatbin", "-dc")),
    Case(
        "size.fatbin",
        (("80", "sm_80"), ("90", "compute_90")),
        ("-fatbin", "-Xfatbin=-compress-all,-compress-mode=size"),
    ),
    Case(
        "speed.fatbin",
        (("80", "sm_80"), ("90", "compute_90")),
        ("-fatbin", "-Xfatbin=-compress-all,-compress-mode=speed"),
    ),
    Case("bare.fatbin", (("80", "sm_80"), ("90", "compute_90")), ("-fatbin", "-no-compress")),
    Case("plain.cubin", (("100", "sm_100"),), ("-cubin",)),
    Case("special.cubin", (("90a", "sm_90a"),), ("-cubin",)),
    Case("old.cubin", (("75", "sm_75"),), ("-cubin",)),
    Case("special.ptx", (("90a", "compute_90a"),), ("-ptx",)),
    Case("object.o", (("75", "sm_75"), ("90", "compute_90")), ("-c",)),
    Case("relocatable.o", (("75", "sm_75"), ("90", "compute_90")), ("-dc",)),
    Case("library.so", (("80", "sm_80"), ("90", "compute_90")), ("-shared", "-cudart=none", "-Xcompiler=-fPIC")),
)


def expected(case: Case) -> dict[str, int]:
    """`{"sass 90a": 1}`: what -gencode asks for."""
    kinds = {"sm": "sass", "compute": "ptx", "lto": "ltoir"}
    codes = Counter(code for _, code in case.gencode)
    return {
        f"{kinds[code.partition('_')[0]]} {code.partition('_')[2]}": number for code, number in sorted(codes.items())
    }


def make(case: Case, folder: Path, scratch: Path) -> None:
    source = scratch / "kernel.cu"
    source.write_text(KERNEL)
    if "-fatbin" in case.options or case.options[0] in {"-c", "-dc", "-shared"}:
        codes = [f"-gencode=arch=compute_{virtual},code={real}" for virtual, real in case.gencode]
    else:
        ((virtual, real),) = case.gencode
        codes = [f"-arch={real}" if case.options[0] == "-cubin" else f"-arch=compute_{virtual}"]
    subprocess.run(
        ["nvcc", "-frandom-seed=1", *case.options, *codes, "kernel.cu", "-o", folder / case.name],
        check=True,
        cwd=scratch,
    )


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for case in CASES:
            make(case, folder, Path(scratch))
    table = {case.name: expected(case) for case in CASES}
    (folder / "expected.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
