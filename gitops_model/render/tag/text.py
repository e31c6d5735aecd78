"""`tag` as text: the findings, then what is tagged and how it is pushed."""

from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.report.text import lines_of
from gitops_model.render.tag import Outcome

SAYS = {
    "made": "tagged",
    "there": "is tagged already",
    "would": "would be tagged",
    "refused": "is not tagged",
    "verified": "is what it says",
    "disbelieved": "is not believed",
}


def render(outcome: Outcome, look: Look) -> str:
    lines = [line for finding in outcome.report.findings for line in lines_of(finding, look)]
    good = outcome.state not in ("refused", "disbelieved")
    head = look.paint(f"{outcome.tag} {SAYS[outcome.state]}", 32 if good else 31)
    lines.append(f"{head}: commit {outcome.commit[:12]}" if outcome.commit else head)
    if outcome.block is not None and good:
        for file in outcome.block.files:
            digest = one_line(file.weights or "no digest of weights", 90)
            lines.append(f"  {digest}  {one_line(file.path)}")
    if outcome.state in ("made", "there"):
        lines.append(f"  push it, alone: git push origin refs/tags/{outcome.tag}")
    return "\n".join(lines) + "\n"
