"""The list of release tags, a line each."""

from gitops_model.render import Look
from gitops_model.render.inert import one_line
from gitops_model.render.tag import Row


def render(rows: tuple[Row, ...], _: Look) -> str:
    width = max((len(row.tag) for row in rows), default=0)
    lines = [
        f"{one_line(row.tag, 400):<{width}}  {(row.commit or '-')[:12]:<12}  {row.version or '#' + str(row.stage)}"
        f"{'' if row.scheme == 'gitops-model' else f'  ({row.scheme})'}"
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines)
