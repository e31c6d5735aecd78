"""Writes gitops_model/gpu/facts/driver_symbols.json from the headers of a CUDA toolkit, or says how they differ.

    python benchmarks/driver_symbols.py INCLUDE_FOLDER [--write]

cudaTypedefs.h names a type per function of the driver and the CUDA version that brought it: `PFN_cuMemAlloc_v3020`.
"""

import json
import re
import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "gitops_model" / "gpu" / "facts" / "driver_symbols.json"
TYPE = re.compile(r"\(CUDAAPI \*PFN_(cu\w+?)_v(\d{4,5})(?:_pts[zd])?\)")


def read(folder: Path) -> dict[str, list[int]]:
    """Function → the versions of CUDA (12080 is 12.8) that brought a form of it."""
    found: dict[str, set[int]] = {}
    for header in sorted(folder.glob("cuda*Typedefs.h")):
        for name, version in TYPE.findall(header.read_text(encoding="utf-8")):
            found.setdefault(name, set()).add(int(version))
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def toolkit(folder: Path) -> str:
    number = int(re.findall(r"#define CUDA_VERSION (\d+)", (folder / "cuda.h").read_text(encoding="utf-8"))[0])
    return dotted(number)


def dotted(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def table(folder: Path, date: str) -> dict[str, object]:
    source = f"cudaTypedefs.h and its siblings of CUDA {toolkit(folder)}"
    groups: dict[tuple[int, int], list[str]] = {}
    for name, versions in read(folder).items():
        groups.setdefault((versions[0], versions[-1]), []).append(name)
    return {
        "about": "Functions of libcuda.so.1, and the CUDA versions whose driver brought their first and last form: a "
        "driver of at least the last has them all, one before the first has none.",
        "functions": [
            {"first": dotted(first), "last": dotted(last), "names": names, "source": source, "date": date}
            for (first, last), names in sorted(groups.items())
        ],
    }


def main(words: list[str]) -> int:
    folder = Path(words[0])
    old = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {"functions": [{"date": ""}]}
    if "--write" in words:
        import datetime as dt

        date = dt.datetime.now(dt.UTC).date().isoformat()
        rows = ",\n".join(f"    {json.dumps(row)}" for row in table(folder, date)["functions"])  # type: ignore[attr-defined]
        about = json.dumps(table(folder, date)["about"])
        TABLE.write_text(f'{{\n  "about": {about},\n  "functions": [\n{rows}\n  ]\n}}\n', encoding="utf-8")
        return 0
    new = table(folder, old["functions"][0]["date"])
    print("the same" if new == old else "differs: run with --write and read the change")
    return new != old


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
