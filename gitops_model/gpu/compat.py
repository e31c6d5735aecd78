"""The verdict: what a release needs against what a machine has. Pure: two documents in, a verdict with reasons out.

    allow         every fact that could forbid it is known and does not
    jit-fallback  it runs after its PTX was compiled on the machine
    reject        at least one fact forbids it, whatever the others are
    unknown       nothing known forbids it, but a fact is missing, newer than the tables, or contradicts another

A wrong `allow` is the worst outcome, so a predicate that cannot be decided says `unknown`; one that can decides alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gitops_model.gpu.contract import Document, Gpu, Requirements, Target, requirements, target
from gitops_model.gpu.device import check_device, check_machine, visible
from gitops_model.gpu.documents import checked
from gitops_model.gpu.driver import UserMode, check_compat, check_driver, check_generation, check_halves, user_mode
from gitops_model.gpu.engines import check_engines
from gitops_model.gpu.image_require import check_require
from gitops_model.gpu.kernels import check_kernels
from gitops_model.gpu.libraries import check_architectures, check_libraries
from gitops_model.gpu.memory import check_dtypes, check_memory
from gitops_model.gpu.onnx_support import check_onnx
from gitops_model.gpu.profiles import resolve
from gitops_model.gpu.reasons import Effect, Reason


class GpuVerdict(NamedTuple):
    """The verdict for one GPU, by its place in the target's list, the machine's own reasons included."""

    gpu: int
    name: str
    verdict: str


class Verdict(NamedTuple):
    """`verdict` is that of the worst GPU. `reasons` come worst first; each stands once, with the first GPU it is of."""

    target: str
    verdict: str
    reasons: tuple[Reason, ...]
    gpus: tuple[GpuVerdict, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "target": self.target,
            "verdict": self.verdict,
            "reasons": [reason.as_dict() for reason in self.reasons],
            "gpus": [gpu._asdict() for gpu in self.gpus],
        }


def judge(needs: Document, machine: Document) -> Verdict:
    """The verdict on two documents as published; CouldNotRun for one that the schema refuses."""
    return matrix(needs, [machine])[0]


def matrix(needs: Document, machines: Sequence[Document]) -> list[Verdict]:
    """One release against several machines; the release is checked and read once."""
    need = requirements(checked(needs, "requirements"))
    return [decide(need, target(checked(resolve(checked(machine, "target")), "target"))) for machine in machines]


def decide(need: Requirements, machine: Target) -> Verdict:
    """The verdict on values that are already made."""
    mode = user_mode(machine)
    seen = visible(machine)
    common = [
        *check_machine(machine),
        *seen.reasons,
        *check_halves(machine, mode),
        *check_driver(need, machine, mode),
        *check_libraries(need, machine, mode),
        *check_onnx(need, machine),
    ]
    each = {gpu.place: [*_of_gpu(need, machine, gpu, mode)] for gpu in seen.gpus}
    if not seen.gpus:
        nobody = Gpu(frozenset(), 0, "the GPU", *[None] * 12)
        common += [reason for reason in _of_gpu(need, machine, nobody, mode) if reason.effect is Effect.REJECT]
    gpus = tuple(GpuVerdict(gpu.place, gpu.name, _worst([*common, *each[gpu.place]]).verdict) for gpu in seen.gpus)
    reasons = _once([*common, *(reason._replace(gpu=index) for index, found in each.items() for reason in found)])
    return Verdict(machine.name, _worst(reasons).verdict, tuple(reasons), gpus)


def _of_gpu(need: Requirements, machine: Target, gpu: Gpu, mode: UserMode) -> Iterator[Reason]:
    yield from check_device(gpu)
    yield from check_generation(machine, gpu, mode)
    yield from check_compat(machine, gpu, mode)
    yield from check_kernels(need, machine, gpu, mode)
    yield from check_architectures(need, machine, gpu)
    yield from check_engines(need, machine, gpu)
    yield from check_require(need, machine, gpu, mode)
    yield from check_memory(need, gpu)
    yield from check_dtypes(need, gpu)


def _worst(reasons: Sequence[Reason]) -> Effect:
    return max((reason.effect for reason in reasons), default=Effect.NOTE)


def _once(reasons: list[Reason]) -> list[Reason]:
    """Worst first, then by code; of those that differ only in the GPU the first."""
    found: dict[tuple[object, ...], Reason] = {}
    for reason in reasons:
        found.setdefault((reason.code, reason.message, reason.effect), reason)
    return sorted(found.values(), key=lambda reason: (-reason.effect, reason.code))
