"""What was measured on weights that changed. Data only."""

from typing import NamedTuple


class Statistics(NamedTuple):
    """A changed tensor, element by element. Numbers are None where nothing defines them (the norm of zeros).

    `elements` is how many pairs were compared (of a resized tensor, the leading part that both have). `changed` counts
    elements whose stored bits differ (of another dtype: whose value differs); among them `zero_signs` are -0.0 against
    0.0 and `nan_payloads` are NaN on both sides, which no comparison of values shows. `relative_l2`, `max_abs` and
    `cosine` leave out pairs with an infinity or NaN; `nan` and `inf` count what was none before. `zeros` is how many
    elements are zero, before and after. `rank` is that of a two-dimensional difference, where it is low and was
    measured. `kind` names what happened: values, bits, cast, quantised, resized, transposed, low-rank.
    """

    elements: int
    changed: int
    relative_l2: float | None
    max_abs: float | None
    cosine: float | None
    nan: int = 0
    inf: int = 0
    zeros: tuple[int, int] = (0, 0)
    zero_signs: int = 0
    nan_payloads: int = 0
    rank: int | None = None
    kind: str = "values"
    note: str = ""
    norm: float = 0.0
    """The L2 norm before."""

    @property
    def fraction(self) -> float:
        """The share of the compared elements that changed."""
        return self.changed / self.elements if self.elements else 0.0

    @property
    def sparsity(self) -> tuple[float, float]:
        """The share of zeros, before and after."""
        return (self.zeros[0] / self.elements, self.zeros[1] / self.elements) if self.elements else (0.0, 0.0)


class Layer(NamedTuple):
    """The tensors that share all of their name but its last part, in the order of the model.

    `tensors` counts both those of before and those of after, each once; `nbytes` is the size after, or before where the
    layer went. `relative_l2` and `max_abs` are over the measured tensors of the layer.
    """

    name: str
    tensors: int
    changed: int = 0
    added: int = 0
    removed: int = 0
    renamed: int = 0
    unknown: int = 0
    nbytes: int = 0
    relative_l2: float | None = None
    max_abs: float | None = None

    @property
    def touched(self) -> bool:
        """Whether any tensor of the layer came, went, changed, or could not be compared."""
        return bool(self.changed or self.added or self.removed or self.unknown)


class Pattern(NamedTuple):
    """A way in which weights changed: `kind`, how many tensors show it, and a sentence with what was measured."""

    kind: str
    tensors: int
    sentence: str
