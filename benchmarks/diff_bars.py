"""What `diff` costs: large graphs, and large weights beside hashing both files and beside loading and comparing them.

    python benchmarks/diff_bars.py [--bytes N] [--rounds N]

The promises are the design's. Exits 1 when one is broken.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Bar, Command, contest, table, verdict

HERE = Path(__file__).parent
PROGRAM = str(Path(sys.executable).parent / "gitops-model")
MOST_SECONDS = {20_000: 2.0, 200_000: 25.0}
"""By the nodes of both graphs."""
LOAD_AND_COMPARE = """
import sys, onnx
from onnx.numpy_helper import to_array
one, other = ({t.name: to_array(t) for t in onnx.load(path).graph.initializer} for path in sys.argv[1:])
print([name for name in one if name not in other or not (one[name] == other[name]).all()])
"""


def pair(folder: Path, *words: str) -> list[str]:
    """Two models, of which three tensors differ; their names."""
    names = ["before.onnx", "after.onnx"]
    for name, change in zip(names, ("0", "3"), strict=True):
        make = [sys.executable, str(HERE / "make_models.py"), words[0], str(folder / name), *words[1:]]
        subprocess.run([*make, "--change", change], check=True)
    return names


def graphs(folder: Path, rounds: int) -> list[Bar]:
    bars: list[Bar] = []
    for nodes, most in MOST_SECONDS.items():
        names = pair(folder, "graph", "--nodes", str(nodes))
        figures = contest([Command("gitops-model diff", [PROGRAM, "diff", *names])], rounds, folder)
        table(f"two graphs of {nodes:,} nodes, three tensors changed", figures)
        seconds = figures["gitops-model diff"].seconds
        bars.append(Bar(f"diff of {nodes:,} nodes within {most:g} s", f"{seconds:.2f} s", seconds <= most))
    return bars


def weights(folder: Path, size: int, rounds: int) -> list[Bar]:
    names = pair(folder, "onnx", "--bytes", str(size))
    commands = [
        Command("gitops-model diff", [PROGRAM, "diff", *names]),
        Command("b3sum", ["b3sum", *names]),
        Command("onnx.load and compare", [sys.executable, "-c", LOAD_AND_COMPARE, *names]),
    ]
    figures = contest(commands, rounds, folder)
    table(f"two ONNX files of {size / 2**20:.0f} MiB, three tensors changed", figures)
    mine, hashing, loading = (figures[command.name] for command in commands)
    ratio, faster = mine.seconds / hashing.seconds, loading.seconds / mine.seconds
    return [
        Bar("diff of two large files within 1.3 times b3sum of both", f"{ratio:.2f} times", ratio <= 1.3),
        Bar("diff of two large files within 128 MiB", f"{mine.mib:.0f} MiB", mine.mib <= 128),
        Bar("diff at least 4 times as fast as onnx.load and a comparison", f"{faster:.1f} times", faster >= 4),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1 << 30, help="size of the large models (default: 1 GiB)")
    parser.add_argument("--rounds", type=int, default=3, help="measured runs of each command (default: 3)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gitops-model-bench.") as scratch:
        folder = Path(scratch)
        return verdict([*graphs(folder, options.rounds), *weights(folder, options.bytes, options.rounds)])


if __name__ == "__main__":
    sys.exit(main())
