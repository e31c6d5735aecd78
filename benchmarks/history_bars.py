"""What history costs where there are notes: `blame` over many versions, and `diff` of two large files.

    python benchmarks/history_bars.py [--bytes N] [--versions N] [--rounds N]

The promises are the design's. Exits 1 when one is broken.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import Bar, Command, contest, table, verdict
from safetensors.numpy import save

PROGRAM = str(Path(sys.executable).parent / "gitops-model")
HERE = Path(__file__).parent
LAYERS = 20
PLAIN = ("-c", "core.compression=0", "-c", "user.name=bench", "-c", "user.email=bench@example.com")


def git(repo: Path, *words: str, given: bytes = b"") -> None:
    subprocess.run(["git", *PLAIN, *words], cwd=repo, input=given, stdout=subprocess.DEVNULL, check=True)


def versions(number: int) -> bytes:
    """A fast-import stream of as many commits of one model, each of which changes one layer."""
    weights = {f"layers.{layer}.weight": np.full((4, 4), layer, np.float32) for layer in range(LAYERS)}
    stream: list[bytes] = []
    for version in range(number):
        weights[f"layers.{version % LAYERS}.weight"][0, 0] += 1
        content = save(weights)
        stream.append(
            b"commit refs/heads/main\ncommitter bench <bench@example.com> %d +0000\n" % (1_600_000_000 + version)
        )
        stream.append(b"data 7\nversion\nM 100644 inline m.safetensors\ndata %d\n%s\n" % (len(content), content))
    return b"".join(stream)


def blame(folder: Path, number: int, rounds: int) -> list[Bar]:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "fast-import", "--quiet", given=versions(number))
    git(folder, "reset", "-q", "--hard")
    subprocess.run([PROGRAM, "record", "--all"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    commands = [
        Command("gitops-model blame", [PROGRAM, "blame", "m.safetensors"]),
        Command("gitops-model blame --help", [PROGRAM, "blame", "--help"]),
    ]
    figures = contest(commands, rounds, folder)
    table(f"blame over {number:,} recorded versions", figures)
    seconds = figures[commands[0].name].seconds - figures[commands[1].name].seconds
    return [Bar(f"blame over {number:,} versions within 1 s after start-up", f"{seconds:.2f} s", seconds <= 1)]


def noted(folder: Path, size: int, rounds: int) -> list[Bar]:
    git(folder, "init", "-q", "-b", "main")
    for change in ("0", "3"):
        make = [sys.executable, str(HERE / "make_models.py"), "onnx", str(folder / "m.onnx")]
        subprocess.run([*make, "--bytes", str(size), "--change", change], check=True)
        git(folder, "add", "m.onnx")
        git(folder, "commit", "-q", "-m", "version")
        subprocess.run([PROGRAM, "record", "m.onnx"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    figures = contest([Command("gitops-model diff", [PROGRAM, "diff", "HEAD~1", "HEAD"])], rounds, folder)
    table(f"two recorded ONNX files of {size / 2**20:.0f} MiB, three tensors changed", figures)
    figure = figures["gitops-model diff"]
    return [
        Bar("diff of two recorded large files within 0.5 s", f"{figure.seconds:.2f} s", figure.seconds <= 0.5),
        Bar("diff of two recorded large files within 128 MiB", f"{figure.mib:.0f} MiB", figure.mib <= 128),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1 << 30, help="size of the large models (default: 1 GiB)")
    parser.add_argument("--versions", type=int, default=1000, help="recorded versions of the model (default: 1,000)")
    parser.add_argument("--rounds", type=int, default=3, help="measured runs of each command (default: 3)")
    options = parser.parse_args()
    bars: list[Bar] = []
    with tempfile.TemporaryDirectory(prefix="gitops-model-bench.") as scratch:
        for name, run, amount in (("blame", blame, options.versions), ("noted", noted, options.bytes)):
            (Path(scratch) / name).mkdir()
            bars += run(Path(scratch) / name, amount, options.rounds)
    return verdict(bars)


if __name__ == "__main__":
    sys.exit(main())
