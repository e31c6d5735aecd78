"""`diff --run`: both models run in ONNX Runtime on the same inputs, each in a process of its own with limits.

    probed = probe((before, after), (one, other), Limits())

Nothing of a model but ONNX Runtime's own operators is executed: no library of custom operators is loaded, and the model
stands in an empty folder with the files that it names (`run_model.laid`).
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, NamedTuple

from gitops_model.diff.probe import Probe
from gitops_model.diff.probing.pairs import Pair, paired
from gitops_model.diff.probing.tolerance import SMALLEST, tolerance
from gitops_model.diff.result import Side, Verdict
from gitops_model.errors import BadFile, CouldNotRun, MissingExtra, Problem
from gitops_model.pipeline.load import Opened
from gitops_model.pipeline.probe_inputs import Feeds, Refused, feeds
from gitops_model.pipeline.probe_outputs import probed_outputs
from gitops_model.pipeline.run_model import ask, laid
from gitops_model.pipeline.worker import LATE

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe_worker.py")
SEEDS = (0, 1, 2)
SIZES = 2
"""Sizes of what is open that both models must have taken, if so many can be found."""
MOST_VALUES = 1000
"""Inputs, and outputs, of a model that is run."""
MOST_MODELS = 10
"""How many times the limit of one process all models may take together: a change may bring a thousand of them."""
MOST_NOTES = 8
MOST_NAMED = 5
SIDES = ("before", "after")


@dataclass
class Limits:
    """Of each of the two processes: wall time, and bytes of address space. `environ` says where libraries are.

    `spent` is what the models of this run took so far; after MOST_MODELS times the limit of one no other is run.
    """

    seconds: int = 120
    memory: int = 8 << 30
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    spent: float = 0.0

    @property
    def total(self) -> int:
        return MOST_MODELS * self.seconds


class Probed(NamedTuple):
    """`problems` are GM013, with the side that does not run."""

    probe: Probe
    problems: tuple[tuple[str, Problem], ...] = ()


def probe(opened: tuple[Opened, Opened], sides: tuple[Side, Side], limits: Limits) -> Probed:
    """Run both. MissingExtra without ONNX Runtime, CouldNotRun where the models cannot be laid out."""
    before, after = (side.model for side in sides)
    other = next((model.format for model in (before, after) if model.format != "onnx"), None)
    if other is not None:
        return Probed(Probe(why=f"ONNX Runtime runs ONNX models only, and this is {other}"))
    if find_spec("onnxruntime") is None:
        raise MissingExtra("run", "onnxruntime")
    values = [before.inputs, after.inputs, before.outputs, after.outputs]
    if max(len(one or ()) for one in values) > MOST_VALUES:
        return Probed(Probe(why=f"a model with more than {MOST_VALUES:,} inputs or outputs is not run"))
    try:
        feed = feeds(*sides)
    except Refused as error:
        return Probed(Probe(why=str(error)))
    if limits.spent > limits.total:
        return Probed(Probe(why=f"the models before it took {limits.total} s"))
    pairs = paired(before.outputs or (), after.outputs or ())
    at = [{value.name: place for place, value in enumerate(model.outputs or ())} for model in (before, after)]
    places = tuple((at[0].get(one.name) if one else None, at[1].get(two.name) if two else None) for one, two in pairs)
    started = time.monotonic()
    found = _laid(opened, sides, Running(feed, pairs, places, limits, tolerance(before, after)))
    limits.spent += time.monotonic() - started
    return found


def contradiction(verdict: Verdict, found: Probe) -> Iterator[tuple[str, Problem]]:
    """GM311 where a change that was proved to keep the outputs does not keep them."""
    if verdict.equivalent and found.agrees is False:
        apart = [output for output in found.outputs if output.agrees is False]
        named = ", ".join(output.name for output in apart[:MOST_NAMED])
        more = f" and {len(apart) - MOST_NAMED:,} more" if len(apart) > MOST_NAMED else ""
        message = f"the change was proved to keep the outputs, and {named}{more} came out different when both were run"
        yield "after", Problem("GM311", message)


def _laid(opened: tuple[Opened, Opened], sides: tuple[Side, Side], running: "Running") -> Probed:
    folders: list[str] = []
    problems: list[tuple[str, Problem]] = []
    with ExitStack() as stack:
        try:
            running.kept = stack.enter_context(tempfile.TemporaryDirectory(prefix="gitops-model-"))
            for name, one, side in zip(SIDES, opened, sides, strict=True):
                try:
                    folders.append(stack.enter_context(laid(one, side.model)))
                except BadFile as error:
                    problems.append((name, _does_not_run(error.problem.message, error.problem.hint)))
        except OSError as error:
            raise CouldNotRun(f"the models could not be laid out to run: {error.strerror}") from error
        if problems:
            return Probed(Probe(why="a file of the model is not here, or cannot be taken"), tuple(problems))
        return running.probed((folders[0], folders[1]))


def _does_not_run(what: str, hint: str | None = None) -> Problem:
    return Problem("GM013", f"the model does not run: {what}", hint=hint)


@dataclass
class Runs:
    """What one side has done so far: `made` by attempt and seed, `ran` the attempts that went well, `failed` the others
    with the reason; `trouble` is what ended the process."""

    made: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict[tuple[int, int], dict[str, Any]])
    ran: list[int] = field(default_factory=list[int])
    failed: dict[int, str] = field(default_factory=dict[int, str])
    trouble: str | None = None
    runtime: str = ""


@dataclass
class Running:
    """Both models in their folders."""

    feed: Feeds
    outputs: tuple[Pair, ...]
    places: tuple[tuple[int | None, int | None], ...]
    """The places of each of these pairs among the outputs of its side."""
    limits: Limits
    tolerance: float
    kept: str = ""
    sides: tuple[Runs, Runs] = field(default_factory=lambda: (Runs(), Runs()))

    def probed(self, folders: tuple[str, str]) -> Probed:
        after = self.sides[1]
        numbers = range(len(self.feed.attempts))
        usual: list[int] = [number for number in numbers if not self.feed.attempts[number].attempt.ones]
        for left in (usual, [number for number in numbers if number not in usual]):
            if not after.made:
                self.both(folders, left)
        if not after.made and not after.trouble:
            self.run(1, folders[1], [number for number in usual if number not in after.failed], 1)
        return self.told()

    def both(self, folders: tuple[str, str], left: list[int]) -> None:
        """Try attempts until enough of them ran on both sides, or a process came to a bad end."""
        before, after = self.sides
        while left and len(after.ran) < SIZES and not before.trouble and not after.trouble:
            done = set(before.ran)
            self.run(0, folders[0], left, SIZES - len(after.ran))
            left = [number for number in left if number not in before.ran and number not in before.failed]
            # What was stopped on the way has made runs too.
            ready = sorted({number for number, _ in before.made} - done)
            if not ready:
                break
            self.run(1, folders[1], ready, len(ready))

    def run(self, side: int, folder: str, attempts: list[int], enough: int) -> None:
        task: dict[str, Any] = {
            "seconds": self.limits.seconds,
            "memory": self.limits.memory,
            "seeds": SEEDS,
            "enough": enough,
            "attempts": [one for one in self.feed.of(side) if one[0] in attempts],
            "keep": self.kept if side == 0 else None,
            "compare": self.kept if side == 1 else None,
            "pairs": [place for place in self.places if None not in place],
            "tolerance": self.tolerance,
            "smallest": SMALLEST,
        }
        ending = ask(WORKER, folder, task, self.limits.environ)
        runs = self.sides[side]
        whole = False
        for text in ending.said.splitlines():
            try:
                line: dict[str, Any] = json.loads(text)
            except ValueError:
                break  # the last line of a process that was stopped
            if not isinstance(line, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - a crash writes anything
                break
            if "import" in line:
                within = f"within {self.limits.memory >> 20} MiB"
                raise CouldNotRun(
                    f"onnxruntime cannot be loaded {within}: {line['import']}", hint="pip install 'gitops-model[run]'"
                )
            whole = whole or "done" in line
            runs.runtime = line.get("onnxruntime", runs.runtime)
            if "outputs" in line:
                runs.made[line["attempt"], line["seed"]] = line
            elif line.get("ran"):
                runs.ran.append(line["attempt"])
            elif "attempt" in line:
                runs.failed[line["attempt"]] = line["problem"]
            elif "problem" in line:
                runs.trouble = line["problem"]
        if not whole and runs.trouble is None:
            runs.trouble = ending.trouble or f"it ended with exit code {ending.code} and no answer"

    def told(self) -> Probed:
        before, after = self.sides
        problems = tuple(
            (name, _does_not_run(why))
            for name, side in zip(SIDES, self.sides, strict=True)
            if (why := self.reason(side)) is not None
        )
        both = [key for key in before.made if key in after.made]
        runtime = before.runtime or after.runtime
        common: dict[str, Any] = {"runtime": runtime, "tolerance": self.tolerance, "inputs": self.feed.inputs}
        if not both:
            why = "a model does not run" if problems else "no sizes of the inputs were found that both models take"
            return Probed(Probe(**common, why=why, notes=tuple(self.notes())[:MOST_NOTES]), problems)
        made = [{key: side.made[key] for key in both} for side in self.sides]
        return Probed(
            Probe(
                **common,
                runs=len(both),
                seeds=tuple(sorted({seed for _, seed in both})),
                sizes=tuple(self.feed.attempts[number].sizes for number in dict.fromkeys(key[0] for key in both)),
                outputs=tuple(probed_outputs(self.outputs, self.places, made[0], made[1])),
                notes=tuple(self.notes())[:MOST_NOTES],
            ),
            problems,
        )

    def reason(self, side: Runs) -> str | None:
        """Why nothing ran, or what ended it; None where it ran. Some runs and no time for more are as good as all."""
        if side.made:
            return side.trouble if side.trouble and LATE not in side.trouble else None
        if side.trouble is not None or not side.failed:
            return side.trouble
        number, why = next(iter(side.failed.items()))
        sizes = self.sizes_text(number)
        return why if not sizes else f"none of {len(side.failed)} sizes; with {sizes}: {why}"

    def sizes_text(self, number: int) -> str:
        return ", ".join(f"{name}={size}" for name, size in self.feed.attempts[number].sizes.items())

    def notes(self) -> Iterator[str]:
        yield from self.feed.notes
        for name, side in zip(SIDES, self.sides, strict=True):
            if side.made and side.trouble and LATE in side.trouble:
                yield f"{name} could not make all runs: {side.trouble}"
        for side, other in ((0, 1), (1, 0)):
            if not self.sides[side].made:
                continue  # it does not run at all, which is said
            for number, why in self.sides[side].failed.items():
                if number in self.sides[other].ran:
                    yield f"with {self.sizes_text(number) or 'these inputs'} only {SIDES[other]} runs: {why}"
