"""What running both models gave, in sentences and short texts that every format has in common."""

from gitops_model.diff.probe import Probe, ProbedInput, ProbedOutput


def headline(probe: Probe) -> str:
    """`outputs agree, within 0.1% of their largest: 6 runs on the same inputs in ONNX Runtime 1.32.0`."""
    if not probe.runs:
        return f"not run: {probe.why}"
    agrees = probe.agrees
    if agrees is False:
        apart = sum(output.agrees is False for output in probe.outputs)
        what = (
            "outputs differ" if apart == len(probe.outputs) else f"{apart:,} of {len(probe.outputs):,} outputs differ"
        )
    elif agrees is None:
        unsaid = sum(output.agrees is None for output in probe.outputs)
        what = f"{unsaid:,} of {len(probe.outputs):,} outputs could not be compared"
        what += ", the others agree" if unsaid < len(probe.outputs) else ""
    elif all(output.same_bits for output in probe.outputs):
        what = "outputs are the same, bit for bit"
    else:
        what = f"outputs agree, within {100 * probe.tolerance:g}% of their largest"
    runs = f"{probe.runs:,} run{'s' if probe.runs > 1 else ''}"
    return f"{what}: {runs} on the same inputs in ONNX Runtime {probe.runtime}{sizes_text(probe)}"


def sizes_text(probe: Probe) -> str:
    """` (n=2; n=1)`, or nothing where no size was open."""
    texts = [", ".join(f"{name}={size}" for name, size in sizes.items()) for sizes in probe.sizes]
    return f" ({'; '.join(texts)})" if any(texts) else ""


def names_text(names: tuple[str | None, str | None]) -> str:
    """The name, or `old → new`."""
    known = [name for name in names if name is not None]
    return known[0] if len(set(known)) == 1 else " → ".join(known)


def types_text(types: tuple[str, str]) -> str:
    known = [kind for kind in types if kind]
    return known[0] if len(set(known)) == 1 else " → ".join(known)


def outcome(output: ProbedOutput) -> str:
    """Our words on one output: `same bits`, `agrees`, `differs`, `not compared`; and what else there is."""
    word = {True: "agrees", False: "differs", None: "not compared"}[output.agrees]
    parts = ["same bits" if output.agrees and output.same_bits else word]
    parts += [f"{count:,} {what} on one side only" for count, what in _counts(output) if count]
    return "; ".join([*parts, output.note] if output.note else parts)


def _counts(output: ProbedOutput) -> tuple[tuple[int, str], ...]:
    return (output.nan, "NaN"), (output.infinite, "infinite")


def number_text(number: float | None) -> str | None:
    return None if number is None else f"{number:.3g}"


def share_text(share: float | None) -> str | None:
    """A share that is not all of it never reads as `100%`."""
    if share is None:
        return None
    return "100%" if share == 1 else f"{min(100 * share, 99.9):.3g}%"


def output_text(output: ProbedOutput) -> str:
    """`largest difference 1.2e-07, relative 3e-06, argmax alike in 100%, agrees`."""
    parts: list[str] = []
    if output.max_abs is not None:
        parts.append(f"largest difference {number_text(output.max_abs)}, relative {number_text(output.max_rel)}")
    if output.argmax is not None:
        parts.append(f"argmax alike in {share_text(output.argmax)}")
    return ", ".join([*parts, outcome(output)])


def input_text(given: ProbedInput) -> str:
    return f"{types_text(given.types)}, {given.values}"
