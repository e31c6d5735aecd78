"""Values to text: pure functions, one folder per kind of result, one file per format.

Each of these modules has `render(value, look) -> str`; what comes from files goes through render/inert.py.
"""

from importlib import import_module
from typing import NamedTuple

RENDERERS: dict[str, tuple[str, ...]] = {
    "notes": ("text", "json"),
    "record": ("text", "json"),
    "report": ("text", "json", "markdown", "sarif", "github"),
    "show": ("text", "json"),
    "setup": ("text", "json"),
    "usage": ("bash", "zsh", "fish", "man", "markdown"),
    "diff": ("text", "json", "markdown", "html"),
    "review": ("markdown", "json", "html", "sarif", "github"),
    "same": ("text", "json"),
    "log": ("text", "json"),
    "blame": ("text", "json"),
    "tag": ("text", "json", "outputs"),
    "tags": ("text", "json"),
    "gpu.check": ("text", "json", "markdown"),
    "gpu.history": ("text", "json"),
    "gpu.document": ("yaml", "json"),
}
"""Kind of result → the formats it can be written in: module gitops_model.render.KIND.FORMAT."""


class Look(NamedTuple):
    """How text may look: with colours, and `width` columns at most (0: as wide as it needs)."""

    colour: bool = False
    width: int = 0

    def paint(self, text: str, *styles: int) -> str:
        """Text in SGR styles (1 bold, 2 dim, 31 red …)."""
        return f"\x1b[{';'.join(map(str, styles))}m{text}\x1b[0m" if self.colour else text


def render(kind: str, form: str, value: object, look: Look = Look()) -> str:  # noqa: B008 - immutable
    """`value`, a result of this kind, as text that ends with a line break (or is empty)."""
    return import_module(f"gitops_model.render.{kind}.{form}").render(value, look)
