"""The scanner against cuobjdump on real libraries: seconds (best of N) and peak memory, each in a process of its own.

    python benchmarks/scan.py [N]        downloads what tests/data/cuda.lock pins, unless it is in the cache

The bar: at least 30 times faster than cuobjdump, and at most 64 MiB, on a library of 250 MB or more.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import cuda  # noqa: E402 - from the tree, found through the line above

OURS = """
import sys, time
from gitops_model.blob import Blob
from gitops_model.gpu.fatbin import scan
start = time.perf_counter()
with Blob.of_file(sys.argv[1]) as blob:
    found = scan(blob)
print(sum(found.counts().values()), time.perf_counter() - start)
"""
BAR_SIZE, BAR_TIMES, BAR_MIB = 250_000_000, 30, 64


def run(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MiB and output of one process."""
    # A helper of its own per run: RUSAGE_CHILDREN is the largest child so far.
    code = (
        "import json, resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "took = time.perf_counter() - start\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
        "print(json.dumps([took, peak, done.stdout[:200]]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True, cwd=ROOT)
    took, peak, output = json.loads(done.stdout)
    return took, peak, output


def main(rounds: int) -> int:
    assert resource.RUSAGE_CHILDREN
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        cuobjdump = cuda.Cuobjdump(Path(folder))
        print("library, MB, images, ours, ours with the start of Python, MiB, cuobjdump, MiB, times")
        for requirement, member in cuda.LIBRARIES:
            path = cuda.real(requirement, member)
            path.read_bytes()  # both find the file in memory
            best = min((run([sys.executable, "-c", OURS, str(path)]) for _ in range(rounds)), key=lambda row: row[0])
            images, inner = best[2].split()
            # One listing each of cubins and PTX is what the scanner gives at once.
            elf = min(run([str(cuobjdump.program), "-all", "-lelf", str(path)]) for _ in range(rounds))
            ptx = min(run([str(cuobjdump.program), "-all", "-lptx", str(path)]) for _ in range(rounds))
            theirs, peak = elf[0] + ptx[0], max(elf[1], ptx[1])
            size = path.stat().st_size
            times = theirs / best[0]
            print(
                f"{path.name:45} {size / 1e6:6.0f} {images:>7} {float(inner) * 1e3:6.1f} ms {best[0] * 1e3:7.1f} ms "
                f"{best[1]:6.1f} {theirs:8.2f} s {peak:7.0f} {times:6.1f}",
                flush=True,
            )
            if size >= BAR_SIZE and theirs > 1 and (times < BAR_TIMES or best[1] > BAR_MIB):
                missed += 1
            del theirs
    return 1 if missed else 0


if __name__ == "__main__":
    start = time.perf_counter()
    code = main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    print(f"{time.perf_counter() - start:.0f} s")
    sys.exit(code)
