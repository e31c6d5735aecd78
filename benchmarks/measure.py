"""Whole processes, measured: seconds from start to end, and the largest memory of any process among them.

A contest runs its commands in turn, round by round, so that a busy moment of the machine meets them all; medians count.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# A process of its own for each run: RUSAGE_CHILDREN is the largest child so far, and a child that is forked from a
# large process counts that one's memory as its own.
_HELPER = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
took = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, took, peak, done.stdout[-2000:].decode(errors="replace")]))
"""


class Command(NamedTuple):
    """One runner of a contest; `before` puts things back before each run and is not measured."""

    name: str
    words: Sequence[str]
    before: Callable[[], object] = lambda: None


class Figure(NamedTuple):
    """Median seconds and largest peak memory in MiB over the rounds."""

    seconds: float
    mib: float


class Bar(NamedTuple):
    """A promise, what was measured, and whether it was kept."""

    promise: str
    measured: str
    kept: bool


def contest(
    commands: Sequence[Command], rounds: int, cwd: Path, env: Mapping[str, str] | None = None
) -> dict[str, Figure]:
    """Run every command once to warm up, then `rounds` times in turn."""
    took: dict[str, list[float]] = {command.name: [] for command in commands}
    peak = dict.fromkeys(took, 0.0)
    for number in range(rounds + 1):
        for command in commands:
            command.before()
            seconds, mib = _run(command.words, cwd, env)
            if number:
                took[command.name].append(seconds)
                peak[command.name] = max(peak[command.name], mib)
    return {name: Figure(statistics.median(times), peak[name]) for name, times in took.items()}


def _run(words: Sequence[str], cwd: Path, env: Mapping[str, str] | None) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _HELPER, *words],
        cwd=cwd,
        env=dict(env or os.environ),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    code, seconds, kib, output = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{' '.join(words)} exits {code}:\n{output}")
    return seconds, kib / 1024


def table(title: str, figures: Mapping[str, Figure]) -> None:
    """Print the figures of one contest."""
    print(f"\n{title}")
    for name, figure in figures.items():
        print(f"  {name:<48} {figure.seconds * 1e3:9.1f} ms {figure.mib:8.1f} MiB")


def verdict(bars: Sequence[Bar]) -> int:
    """Print every promise; 1 where one was broken."""
    print()
    for bar in bars:
        print(f"{'kept  ' if bar.kept else 'BROKEN'} {bar.promise}: {bar.measured}")
    return 0 if all(bar.kept for bar in bars) else 1
