"""What of the hostile files this program and other scanners notice. Not a race: a table to learn from.

    python benchmarks/safety.py [--picklescan PATH] [--modelscan PATH]

The files are those of tests/cases/hostile that hold code or hide it (GM603, GM604 or GM605 is expected of them). They
are our own choice, so the count says less than the names. A scanner notices a file when it exits with 1; 2 or more is
"cannot read it".
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOSTILE = ROOT / "tests" / "cases" / "hostile"
CODE = ("GM603", "GM604", "GM605")


def noticed(words: list[str], folder: Path) -> bool:
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=120)
    return done.returncode == 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picklescan")
    parser.add_argument("--modelscan")
    options = parser.parse_args()
    ours = [str(Path(sys.executable).parent / "gitops-model"), "check"]
    scanners = {"gitops-model": ours}
    if options.picklescan:
        scanners["picklescan"] = [options.picklescan, "--path"]
    if options.modelscan:
        scanners["modelscan"] = [options.modelscan, "--path"]
    missed: dict[str, list[str]] = {name: [] for name in scanners}
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, HOSTILE / "make.py", scratch], check=True)
        expected: dict[str, list[str]] = json.loads((HOSTILE / "expected.json").read_text(encoding="utf-8"))
        harmful = {name for name, codes in expected.items() if any(code[:5] in CODE for code in codes)}
        cases = [path for path in sorted(Path(scratch).iterdir()) if path.name in harmful]
        for case in cases:
            file = min(path.name for path in case.iterdir())
            for name, words in scanners.items():
                if not noticed([*words, file], case):
                    missed[name].append(case.name)
    print(f"{len(cases)} files")
    for name, cases_missed in missed.items():
        print(f"{name}: {len(cases) - len(cases_missed)} noticed; not {', '.join(cases_missed) or 'one missed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
