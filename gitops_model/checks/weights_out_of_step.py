"""A manifest lists one model in several formats (files of one name with other endings), and they hold other weights.

Why: exporting to a second format is easily forgotten when a model is trained again. Users of the two files then run two
models under one version.

Example:

    model.yaml: error GM310 'voice.onnx' and 'voice.safetensors' do not hold the same weights

Fix: export the files again from one checkpoint, or give other models other names. `gitops-model same A B` names every
tensor that is out of step.
"""

import shlex
from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM310", "weights-out-of-step", Severity.ERROR, "formats of one model hold other weights")


def check(facts: Facts) -> Iterator[Finding]:
    for found in facts.out_of_step:
        message = f"{found.before!r} and {found.after!r} do not hold the same weights: {found.what}"
        place = facts.manifest.checksums[found.after].place if facts.manifest is not None else (None, None)
        folder = facts.path.rpartition("/")[0]
        files = (f"{folder}/{path}" if folder else path for path in (found.before, found.after))
        hint = f"gitops-model same {' '.join(map(shlex.quote, files))}"
        yield finding(RULE, facts.path, Problem(RULE.code, message, *place, hint=hint))
