"""The key `probe` of a difference: what running both models on the same inputs gave."""

from typing import Any

from gitops_model.diff.probe import Probe, ProbedInput, ProbedOutput


def probe_json(probe: Probe) -> dict[str, Any]:
    return {
        "runs": probe.runs,
        "agrees": probe.agrees if probe.runs else None,
        "why_not_run": None if probe.runs else probe.why,
        "onnxruntime": probe.runtime or None,
        "seeds": list(probe.seeds),
        "sizes": list(probe.sizes),
        "tolerance": probe.tolerance or None,
        "inputs": [_input(given) for given in probe.inputs],
        "outputs": [_output(output) for output in probe.outputs],
        "notes": list(probe.notes),
    }


def _input(given: ProbedInput) -> dict[str, Any]:
    return {"before": _side(given.names[0], given.types[0]), "after": _side(given.names[1], given.types[1])} | {
        "values": given.values
    }


def _side(name: str | None, kind: str) -> dict[str, Any] | None:
    return None if name is None else {"name": name, "type": kind}


def _output(output: ProbedOutput) -> dict[str, Any]:
    return {
        "name": output.name,
        "before": _side(output.names[0], output.types[0]),
        "after": _side(output.names[1], output.types[1]),
        "agrees": output.agrees,
        "same_bits": output.same_bits,
        "max_abs": output.max_abs,
        "max_rel": output.max_rel,
        "argmax_agreement": output.argmax,
        "nan": output.nan,
        "inf": output.infinite,
        "varies": {"before": output.varies[0], "after": output.varies[1]},
        "note": output.note,
    }
