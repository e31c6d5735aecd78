"""What was set up, one line each; what is missing, with the command that mends it."""

from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.setup import Health, Step

STYLE = {"changed": 32, "kept": 2, "left": 33, "ok": 32, "missing": 31, "wrong": 31, "optional": 2}


def render(result: tuple[Step, ...] | Health, look: Look) -> str:
    rows = result.facts if isinstance(result, Health) else result
    lines: list[str] = []
    for row in rows:
        lines.append(f"{look.paint(f'{row.state:<8}', STYLE[row.state])} {row.part}: {one_line(row.detail, 1000)}")
        command = row.command if not isinstance(row, Step) else None
        if command is not None:
            lines.append(f"{'':<8} → {one_line(command, 1000)}")
    return "".join(f"{line}\n" for line in lines) or "nothing to do\n"
