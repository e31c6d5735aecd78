"""`gpu report`: how the check on the GPU runner ended, as a commit status and a check run.

The verdict comes as a file from a machine that ran the code of a release: it is held against the published schema, and
only a verdict of a job that succeeded is a success.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.pipeline.gpu.forge import CONTEXT, commit_id, github, run_url

MAX_SIZE = 16 << 20
"""Bytes of a verdict that are read."""
SUMMARY = 65_000
"""Characters of a check run's summary; GitHub takes 65,535."""
RESULTS = ("success", "failure", "cancelled", "skipped")


class Outcome(NamedTuple):
    """`state` is that of the commit status: success, failure, error or pending."""

    state: str
    description: str
    summary: str = ""


def report(
    environ: Mapping[str, str], commit: str, tag: str, *, resolved: str, result: str | None, verdict: str | None
) -> Outcome:
    """Publish. `resolved` and `result` are how the jobs ended that verify the tag and check it; None: not yet."""
    outcome = outcome_of(tag, resolved, result, verdict)
    forge = github(environ)
    sha = commit_id(commit)
    forge.set_status(sha, outcome.state, CONTEXT, outcome.description, run_url(environ))
    if outcome.state != "pending":
        conclusion = "success" if outcome.state == "success" else "failure"
        forge.create_check_run(sha, CONTEXT, conclusion, outcome.description, outcome.summary or outcome.description)
    return outcome


def outcome_of(tag: str, resolved: str, result: str | None, verdict: str | None) -> Outcome:
    """What to say. A verdict that is absent or unreadable is an error, whatever the job says."""
    from gitops_model.render.inert import one_line

    name = one_line(tag, 60)
    if resolved != "success":
        return Outcome("error", f"{name}: the tag is not believed ({resolved})")
    if result is None:
        return Outcome("pending", f"{name}: waits for a GPU runner")
    document = read(verdict) if verdict is not None else None
    if document is None:
        return Outcome("error", f"{name}: the GPU runner gave no verdict ({result})")
    said, targets = document["verdict"], len(document["targets"])
    description = f"{name}: {said} ({targets} {'target' if targets == 1 else 'targets'})"
    summary = markdown(document)
    if said in ("allow", "jit-fallback"):
        if result != "success":
            return Outcome("error", f"{name}: the job ended with {result} after {said}", summary)
        return Outcome("success", description, summary)
    return Outcome("failure", description, summary)


def read(path: str) -> dict[str, Any] | None:
    """A verdict as `gpu check --format json` writes it; None for anything else."""
    from gitops_model import render as _render

    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_SIZE + 1)
        document: Any = json.loads(data) if len(data) <= MAX_SIZE else None
    except (OSError, ValueError, RecursionError):
        return None
    from jsonschema import Draft202012Validator

    validator: Any = Draft202012Validator
    with open(os.path.join(os.path.dirname(_render.__file__), "gpu-check.schema.json"), encoding="utf-8") as stream:
        schema = json.load(stream)
    if not validator(schema).is_valid(document):
        return None
    # the verdict on top is for people; what counts is that of each target and run
    verdicts = [row["verdict"] for row in (*document["targets"], *document["smoke"])]
    return document if document["targets"] and document["verdict"] == worst(verdicts) else None


def worst(verdicts: list[str]) -> str:
    from gitops_model.render.gpu import ORDER

    return max(verdicts, key=ORDER.index, default="unknown")


def markdown(document: dict[str, Any]) -> str:
    """The matrix and the reasons, made inert: all of it is text from the runner."""
    from gitops_model.render.gpu.check.markdown import SIGN
    from gitops_model.render.inert import code, prose

    lines = ["| target | verdict | reasons |", "| --- | --- | --- |"]
    rows = [(row["target"], row) for row in document["targets"]]
    rows += [(f"run of {row['model']}", row) for row in document["smoke"]]
    for name, row in rows:
        deciding = [one for one in row["reasons"] if one["effect"] != "note"]
        codes = ", ".join(dict.fromkeys(f"{one['code']} {prose(one['error'], 40)}" for one in deciding))
        lines.append(f"| {code(name, 60)} | {SIGN[row['verdict']]} {row['verdict']} | {codes} |")
    for one in document["reasons"]:
        lines += ["", f"**{one['code']}** {prose(one['message'], 1000)}"]
        if one["fix"]:
            lines.append(f"Fix: {prose(one['fix'], 1000)}")
    text = "\n".join(lines) + "\n"
    return text if len(text) <= SUMMARY else text[:SUMMARY].rpartition("\n")[0] + "\n\n…\n"


def result_of(text: str | None) -> str | None:
    if text is not None and text not in RESULTS:
        raise CouldNotRun(f"{text!r} is no result of a job", hint=", ".join(RESULTS))
    return text
