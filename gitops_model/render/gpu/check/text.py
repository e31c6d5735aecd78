"""`gpu check` as text: the matrix of targets, then each reason once, with the targets it is of."""

from collections.abc import Iterator
from typing import Any

from gitops_model.gpu.reasons import Effect, Reason
from gitops_model.render import Look
from gitops_model.render.gpu import Checked, Smoke
from gitops_model.render.inert import one_line

STYLE = {"allow": (32,), "jit-fallback": (33,), "unknown": (33,), "reject": (1, 31)}
WORD = {Effect.NOTE: "note", Effect.JIT: "JIT", Effect.UNKNOWN: "unknown", Effect.REJECT: "reject"}


def render(checked: Checked, look: Look) -> str:
    lines = [f"{one_line(checked.release)}: {look.paint(checked.verdict, *STYLE[checked.verdict])}"]
    width = max((len(one_line(judged.verdict.target, 40)) for judged in checked.targets), default=0)
    for judged in checked.targets:
        verdict = judged.verdict
        found = ", ".join(dict.fromkeys(f"{one.code} {one.error}" for one in verdict.reasons if one.effect))
        word = look.paint(f"{verdict.verdict:<12}", *STYLE[verdict.verdict])
        lines.append(f"  {one_line(verdict.target, 40):<{width}}  {word}  {found}".rstrip())
    for (_code, text), reasons in grouped(checked).items():
        first = reasons[0][1]
        named = ", ".join(one_line(target, 40) for target, _ in reasons)
        every = len(reasons) == len(checked.targets) and len(reasons) > 1
        lines += ["", f"{first.code} {first.error} ({WORD[first.effect]}; {'every target' if every else named})"]
        lines.append(f"  {one_line(text, 2000)}")
        lines.append(look.paint(f"  source: {one_line(first.source, 400)}", 2))
        if first.fix:
            lines.append(f"  fix:    {one_line(first.fix, 2000)}")
    for smoke in checked.smoke:
        lines += ["", *_run(smoke, look)]
    if checked.notes:
        lines += ["", "not seen, or in doubt:"]
    for path, problem in checked.notes:
        where = f"{one_line(path)}: " if path else ""
        lines.append(f"  {where}{one_line(problem.message, 400)}")
    return "\n".join(lines) + "\n"


def _run(smoke: Smoke, look: Look) -> Iterator[str]:
    yield f"run of {one_line(smoke.model)}: {look.paint(smoke.verdict, *STYLE[smoke.verdict])}"
    for name, run in (("CPU", smoke.cpu), ("GPU", smoke.gpu)):
        if run is not None and "problem" not in run:
            yield f"  {name}  {measured(run)}"
    for reason in smoke.reasons:
        yield f"  {reason.code} {reason.error} ({WORD[reason.effect]}): {one_line(reason.message, 2000)}"
        if reason.fix:
            yield f"    fix: {one_line(reason.fix, 2000)}"
    if smoke.unchecked:
        yield f"  not checked: {', '.join(map(one_line, smoke.unchecked))}"


def measured(run: dict[str, Any]) -> str:
    """What a run took, in a line."""
    memory = run["device_memory_mib"] if run["device_memory_mib"] is not None else run["host_memory_mib"]
    nodes = ", ".join(
        f"{one_line(name.removesuffix('ExecutionProvider'), 40)} {sum(ops.values())}"
        for name, ops in run["nodes"].items()
    )
    return (
        f"load {run['load_ms']:.1f} ms, p50 {run['latency_p50_ms']:.2f} ms, p95 {run['latency_p95_ms']:.2f} ms, "
        f"{memory} MiB; nodes: {nodes}"
    )


def grouped(checked: Checked) -> dict[tuple[str, str], list[tuple[str, Reason]]]:
    """(code, message) → the targets that have the reason; those that decide most come first."""
    found: dict[tuple[str, str], list[tuple[str, Reason]]] = {}
    for judged in checked.targets:
        for reason in judged.verdict.reasons:
            rows = found.setdefault((reason.code, reason.message), [])
            if judged.verdict.target not in (target for target, _ in rows):
                rows.append((judged.verdict.target, reason))
    return dict(sorted(found.items(), key=lambda item: (-item[1][0][1].effect, item[0][0])))
