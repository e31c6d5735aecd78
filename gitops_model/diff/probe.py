"""What running both models on the same inputs gave (`Probe`). Data only; pipeline/probe.py runs them.

An output *agrees* when no element is further from its counterpart than the tolerance times the largest magnitude that
this output has in that run. Coarser arithmetic needs more room: probing/tolerance.py says how much.
"""

from typing import NamedTuple


class ProbedInput(NamedTuple):
    """What both models were given. `names`: before and after, None where a side has no such input.

    `values` says how they were made: `[-1, 1)`, `0 or 1`, `0 to 30521`, `0, 1 or 16000`, `bytes`, `true or false`,
    `digits`.
    """

    names: tuple[str | None, str | None]
    types: tuple[str, str]
    values: str


class ProbedOutput(NamedTuple):
    """One output, over all runs. `names` and `types` (`float32[2,10]`, of the last run) are those of before and after.

    `max_abs` and `max_rel` are over pairs of finite numbers; relative to the larger of both, and at least to 1e-6.
    `argmax` is the share of the rows of the last axis whose largest element is at the same place; None where that has
    no meaning. `nan` and `infinite` count elements that are so on one side only. `varies`: the side gave other values
    when it was run again on the same inputs. `agrees` is None where that cannot be said; `note` says why, or what else
    there is.
    """

    names: tuple[str | None, str | None]
    types: tuple[str, str]
    max_abs: float | None = None
    max_rel: float | None = None
    argmax: float | None = None
    nan: int = 0
    infinite: int = 0
    varies: tuple[bool, bool] = (False, False)
    same_bits: bool = False
    agrees: bool | None = None
    note: str = ""

    @property
    def name(self) -> str:
        return self.names[1] if self.names[1] is not None else self.names[0] or ""


class Probe(NamedTuple):
    """`runs` is how many times both sides ran on the same inputs: each of the `seeds` with each of the `sizes` (symbol
    → number). 0: there was nothing to compare, and `why` says in a sentence what was in the way.

    `notes` are sentences about what else came up, such as a size that only one side takes.
    """

    runtime: str = ""
    runs: int = 0
    seeds: tuple[int, ...] = ()
    sizes: tuple[dict[str, int], ...] = ()
    tolerance: float = 0.0
    inputs: tuple[ProbedInput, ...] = ()
    outputs: tuple[ProbedOutput, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether all outputs agree; None where nothing could be compared, or not all and the rest agrees."""
        said = {output.agrees for output in self.outputs}
        return False if False in said else True if said == {True} else None
