"""`gpu check` in Markdown: the matrix for a check run, a job summary, or a comment."""

from gitops_model.render import Look
from gitops_model.render.gpu import Checked
from gitops_model.render.gpu.check.text import WORD, grouped, measured
from gitops_model.render.inert import code, prose

SIGN = {"allow": "✅", "jit-fallback": "⚠️", "unknown": "❔", "reject": "❌"}


def render(checked: Checked, _: Look) -> str:
    lines = [f"### GPU gate: {code(checked.release)} {SIGN[checked.verdict]} **{checked.verdict}**", ""]
    lines += ["| target | verdict | reasons |", "| --- | --- | --- |"]
    for judged in checked.targets:
        verdict = judged.verdict
        found = ", ".join(dict.fromkeys(f"{one.code} {prose(one.error, 40)}" for one in verdict.reasons if one.effect))
        lines.append(f"| {code(verdict.target, 60)} | {SIGN[verdict.verdict]} {verdict.verdict} | {found} |")
    for (_code, text), reasons in grouped(checked).items():
        first = reasons[0][1]
        named = ", ".join(code(target, 60) for target, _ in reasons)
        lines += ["", f"**{first.code} {prose(first.error, 40)}** ({WORD[first.effect]}; {named})  "]
        lines.append(f"{prose(text, 1000)}  ")
        if first.fix:
            lines.append(f"Fix: {prose(first.fix, 1000)}  ")
        lines.append(f"<sub>Source: {prose(first.source)}</sub>")
    for smoke in checked.smoke:
        lines += ["", f"Run of {code(smoke.model)}: {SIGN[smoke.verdict]} **{smoke.verdict}**", ""]
        for name, run in (("CPU", smoke.cpu), ("GPU", smoke.gpu)):
            if run is not None and "problem" not in run:
                lines.append(f"- {name}: {prose(measured(run))}")
        lines += [f"- {one.code} {prose(one.error, 40)}: {prose(one.message, 1000)}" for one in smoke.reasons]
        if smoke.unchecked:
            lines.append(f"- not checked: {prose(', '.join(smoke.unchecked))}")
    if checked.notes:
        lines += ["", "Not seen, or in doubt:", ""]
        lines += [f"- {code(path) + ': ' if path else ''}{prose(problem.message)}" for path, problem in checked.notes]
    return "\n".join(lines) + "\n"
