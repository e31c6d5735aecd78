"""`gpu history` as text, a line per verdict."""

from gitops_model.render import Look
from gitops_model.render.gpu import History, Past
from gitops_model.render.gpu.check.text import STYLE
from gitops_model.render.inert import one_line


def render(history: History, look: Look) -> str:
    width = max((len(one_line(past.target, 40)) for past in history.verdicts), default=0)
    return "".join(f"{_line(past, width, look)}\n" for past in history.verdicts)


def _line(past: Past, width: int, look: Look) -> str:
    verdict = look.paint(f"{one_line(past.verdict, 40):<12}", *STYLE.get(past.verdict, (1,)))
    stale = " (its other files have changed since)" if past.valid is False else ""
    gpus = ", ".join(one_line(gpu, 60) for gpu in past.gpus)
    errors = " ".join(one_line(error, 20) for error in past.errors)
    facts = look.paint(one_line(past.facts, 40), 2)
    return f"{one_line(past.target, 40):<{width}}  {verdict}  {facts}  {gpus}  {errors}".rstrip() + stale
