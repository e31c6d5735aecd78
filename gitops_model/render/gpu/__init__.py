"""What the GPU gate says: the verdict on targets (check), what was ever said (history), and both sides (document)."""

from typing import Any, NamedTuple

from gitops_model.errors import Problem
from gitops_model.gpu.compat import Verdict
from gitops_model.gpu.reasons import Effect, Reason

ORDER = ("allow", "jit-fallback", "unknown", "reject")
"""From the best to the worst."""


class Judged(NamedTuple):
    """One target: its verdict, and the digest of what the verdict rests on."""

    verdict: Verdict
    facts: str


class Smoke(NamedTuple):
    """One model that was run. `inputs` are the shapes that were given; `cpu` and `gpu` what was measured, if anything.

    `unchecked` names what was not looked at, of the GPU or of the acceptance limits.
    """

    model: str
    reasons: tuple[Reason, ...]
    inputs: dict[str, list[int]]
    cpu: dict[str, Any] | None
    gpu: dict[str, Any] | None
    unchecked: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """allow only when everything ran on a GPU."""
        return max((reason.effect for reason in self.reasons), default=Effect.NOTE).verdict


class Checked(NamedTuple):
    """One release against several targets.

    `notes` are (path, problem): what the scan could not see. `recorded` are the paths on whose blobs the verdicts are
    kept, `unrecorded` says why not of others.
    """

    release: str
    requirements: dict[str, Any]
    targets: tuple[Judged, ...]
    notes: tuple[tuple[str, Problem], ...] = ()
    recorded: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    smoke: tuple[Smoke, ...] = ()

    @property
    def verdict(self) -> str:
        """That of the worst target, or of the worst run."""
        verdicts = [*(judged.verdict.verdict for judged in self.targets), *(smoke.verdict for smoke in self.smoke)]
        return max(verdicts, key=ORDER.index, default="unknown")


class Past(NamedTuple):
    """A verdict in a note. `valid` is False where the model's other files are not those that were judged."""

    target: str
    verdict: str
    facts: str
    errors: tuple[str, ...]
    gpus: tuple[str, ...]
    valid: bool | None


class History(NamedTuple):
    """What the notes on a blob say; `asked` is the target that was asked for."""

    path: str | None
    oid: str
    asked: str | None
    verdicts: tuple[Past, ...]
