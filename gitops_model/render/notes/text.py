"""The lines of a note as they are, but inert; a line that does not hold where it was looked up is marked."""

from gitops_model.render import Look
from gitops_model.render.inert import for_terminal
from gitops_model.render.notes import Shown


def render(shown: Shown, look: Look) -> str:
    return "".join(
        look.paint("# other external data: ", 33) + for_terminal(line.text) + "\n"
        if line.valid is False
        else for_terminal(line.text) + "\n"
        for line in shown.lines
    )
