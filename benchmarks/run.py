"""What the main job costs, beside what a team would use without it. Whole processes, warm cache, medians of one run.

    python benchmarks/run.py [--bytes N] [--rounds N]     (make bench ARGS="--rounds 3")

Runs the program installed beside the interpreter. Exits 1 when a promise of the README or the design is broken; the
promises are about models of 1 GiB, so a smaller size only shows that everything runs.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Bar, Command, Figure, contest, table, verdict

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
REF = "refs/notes/gitops-model"
MANIFEST = """\
name: demo
version: 1.0.0
architecture: amd64
checksums:
  tiny.safetensors:
    sha256: {sha256}
"""
# The header of a safetensors file without tensors.
TINY = bytes([2, 0, 0, 0, 0, 0, 0, 0]) + b"{}"
ONNX_LOAD = "import onnx, sys; onnx.load(sys.argv[1])"


def git(repo: Path, *words: str) -> str:
    """Run git in `repo`; the content of large files is not compressed, which would take most of the time."""
    quick = ["-c", "core.compression=0", "-c", "core.bigFileThreshold=1m", "-c", "gc.auto=0"]
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"]
    done = subprocess.run(["git", *quick, *who, *words], cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """An empty repository."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    return folder


def forget(repo: Path) -> Callable[[], object]:
    """Take the notes away, so that the next `record` has everything to do."""
    return lambda: git(repo, "update-ref", "-d", REF)


def ours(*words: str) -> list[str]:
    return [str(BIN / "gitops-model"), *words]


def record(folder: Path, kind: str, size: int, rounds: int) -> list[Bar]:
    """`record` of one large model in the work tree and in a pack, against hashing the file and loading it."""
    name = "model.onnx" if kind == "onnx-external" else f"model.{kind}"
    data = f"{name}.data" if kind == "onnx-external" else name
    repo = repository(folder / kind)
    make = [sys.executable, str(HERE / "make_models.py"), kind, str(repo / name), "--bytes", str(size)]
    subprocess.run(make, check=True)
    git(repo, "add", "--all")
    git(repo, "commit", "--quiet", "--message", "Add")
    commands = [
        Command("gitops-model record", ours("record", name), forget(repo)),
        Command("b3sum", ["b3sum", data]),
        Command("gitops-model show --no-digests", ours("show", "--no-digests", name)),
    ]
    if kind == "onnx":
        load = [sys.executable, "-c", ONNX_LOAD, name]
        commands += [
            Command("sha256sum", ["sha256sum", name]),
            Command("onnx.load", load),
        ]
    figures = contest(commands, rounds, repo)
    table(f"{kind}: {name}, {size / 2**20:.0f} MiB", figures)
    mine = figures["gitops-model record"]
    bars = [
        ratio(f"record of {kind} within 1.3 times b3sum", mine, figures["b3sum"].seconds, 1.3),
        memory(f"record of {kind} in the work tree within 256 MiB", mine),
    ]
    if kind == "onnx":
        naive = figures["sha256sum"].seconds + figures["onnx.load"].seconds
        times = naive / mine.seconds
        bars.append(Bar("record at least 3 times as fast as sha256sum and onnx.load", f"{times:.1f} times", times >= 3))
    seconds = figures["gitops-model show --no-digests"].seconds
    bars.append(Bar(f"show --no-digests of {kind} within 0.3 s", f"{seconds:.3f} s", seconds <= 0.3))
    (repo / name).unlink()
    loose = contest([Command("record, loose blob", ours("record", "--rev", "HEAD", name), forget(repo))], 1, repo)
    git(repo, "repack", "-a", "-d", "--quiet")
    packed = contest([Command("record, packed blob", ours("record", "--rev", "HEAD", name), forget(repo))], 1, repo)
    table(f"{name} without a work-tree file (largest process, git included)", loose | packed)
    bars.append(memory(f"record of {kind} in a pack within 256 MiB", packed["record, packed blob"]))
    shutil.rmtree(repo)
    return bars


def hooks(folder: Path, rounds: int) -> list[Bar]:
    """What a commit waits for: the hook on one small manifest, and on a commit without any model."""
    repo = repository(folder / "hooks")
    (repo / "tiny.safetensors").write_bytes(TINY)
    (repo / "model.yaml").write_text(MANIFEST.format(sha256=hashlib.sha256(TINY).hexdigest()))
    git(repo, "add", "--all")
    hook = [str(BIN / "gitops-model-hook"), "model-manifest"]
    # The interpreter that imports only what this takes.
    floor = [sys.executable, "-c", "import pygit2, yaml, jsonschema"]
    rounds *= 5
    figures = contest([Command("model-manifest", hook), Command("python, imports alone", floor)], rounds, repo)
    table("model-manifest on one small manifest", figures)
    bars = [
        ratio(
            "model-manifest on one small manifest within 1.3 times an interpreter that imports what it needs",
            figures["model-manifest"],
            figures["python, imports alone"].seconds,
            1.3,
        )
    ]
    git(repo, "commit", "--quiet", "--message", "Add")
    (repo / "notes.txt").write_text("nothing of interest\n")
    git(repo, "add", "--all")
    every = [Command(f"{name}, no model touched", [hook[0], name]) for name in ("model-manifest", "pre-commit")]
    figures = contest([*every, Command("python alone", [sys.executable, "-I", "-c", ""])], rounds, repo)
    table("a commit that touches no model", figures)
    slowest = max(figures[command.name].seconds for command in every)
    bars.append(Bar("hooks on a commit without models within 60 ms", f"{slowest * 1e3:.0f} ms", slowest <= 0.060))
    return bars


def review(folder: Path, rounds: int) -> list[Bar]:
    """`review` of a change of every weight of a 100 MB model, its notes being there."""
    repo = repository(folder / "review")
    model = repo / "model.safetensors"
    make = [sys.executable, str(HERE / "make_models.py"), "safetensors", str(model), "--bytes", str(100_000_000)]
    subprocess.run(make, check=True)
    git(repo, "add", model.name)
    git(repo, "commit", "--quiet", "--message", "Add")
    data = model.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    model.write_bytes(data[:start] + data[-4:] + data[start:-4])
    git(repo, "commit", "--quiet", "--all", "--message", "Move every weight by one place")
    subprocess.run(ours("record", "--all"), cwd=repo, check=True, stdout=subprocess.DEVNULL)
    commands = [
        Command("gitops-model review", ours("review", "--base", "HEAD~1")),
        Command("gitops-model --version", ours("--version")),
    ]
    figures = contest(commands, rounds, repo)
    table("a review of one model of 100 MB", figures)
    shutil.rmtree(repo)
    seconds = figures[commands[0].name].seconds - figures[commands[1].name].seconds
    return [Bar("review of one model of 100 MB within 2 s beyond the start", f"{seconds:.2f} s", seconds <= 2)]


def ratio(promise: str, mine: Figure, other: float, limit: float) -> Bar:
    times = mine.seconds / other
    return Bar(promise, f"{times:.2f} times", times <= limit)


def memory(promise: str, figure: Figure) -> Bar:
    return Bar(promise, f"{figure.mib:.0f} MiB", figure.mib <= 256)


def main() -> int:
    """Run everything in a scratch folder; the promises are printed at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1 << 30, help="size of the large models (default: 1 GiB)")
    parser.add_argument("--rounds", type=int, default=5, help="measured runs of each command (default: 5)")
    options = parser.parse_args()
    for program in ("b3sum", "sha256sum"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed: run `make tools`, or install the package that has it")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    with tempfile.TemporaryDirectory(prefix="gitops-model-bench.") as scratch:
        bars = hooks(Path(scratch), options.rounds)
        bars += review(Path(scratch), options.rounds)
        for kind in ("safetensors", "onnx", "onnx-external", "pt", "gguf"):
            bars += record(Path(scratch), kind, options.bytes, options.rounds)
    return verdict(bars)


if __name__ == "__main__":
    sys.exit(main())
