"""What `record` did, one line per file: what happened, the digest of the weights, the path."""

from gitops_model.git.notes import file_digests
from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.record import Outcome, Recorded

STYLE = {"recorded": (32,), "known": (2,), "pointer": (33,), "failed": (1, 31)}


def render(outcome: Outcome, look: Look) -> str:
    return "".join(line(file, look) for file in outcome.files)


def line(file: Recorded, look: Look) -> str:
    where = one_line(file.path, 400) + (f" ({file.commit[:12]})" if file.commit is not None else "")
    state = look.paint(f"{file.state:<8}", *STYLE[file.state])
    lines = [f"{state}  {where}"]
    if "weights" in file.fields:
        lines[0] += f"  {one_line(str(file.fields['weights']))}"
    elif file.state == "pointer":
        lines[0] += "".join(f"  {one_line(f'{name}:{digest}')}" for name, digest in file_digests(file.fields).items())
    for problem in file.problems:
        lines.append(f"    {problem.code} {one_line(problem.message, 2000)}")
        if problem.hint is not None:
            lines.append(f"    fix:      {one_line(problem.hint, 2000)}")
    return "\n".join(lines) + "\n"
