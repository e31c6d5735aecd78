"""Two cases. A model file lies in the directory of a manifest and no manifest lists it. Or a listed model refers to
another file (external data, a shard) that its manifest does not list.

Why an error: an unlisted file has no checksum and no declared signature, so every later stage would let it pass
unseen. Directories without a manifest are left alone.

Example:

    models/new.onnx: error GM112 this model file lies beside a manifest and no manifest lists it

Fix: add it under `checksums` (`gitops-model check --fix` then fills in its digest), or write a manifest for it with
`gitops-model init FILE`. To tolerate it, ignore GM112 for its path in `.gitops-model.toml`.
"""

from collections.abc import Iterator

from gitops_model.checks import finding
from gitops_model.checks.facts import Facts
from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

RULE = Rule("GM112", "unlisted-model", Severity.ERROR, "a model file, or a file that a model needs, is in no manifest")


def check(facts: Facts) -> Iterator[Finding]:
    for path in facts.unlisted:
        message = f"this model file lies beside {facts.path!r} and no manifest lists it"
        problem = Problem(RULE.code, message, expected="an entry under checksums", found="none")
        yield finding(RULE, path, problem)
    if facts.manifest is None:
        return
    listed = facts.manifest.checksums
    for file in facts.files:
        folder = file.listed.rpartition("/")[0]
        for dep in file.model.deps if file.model is not None else ():
            if (path := below(folder, dep)) is not None and path not in listed:
                message = f"{file.listed!r} needs {path!r}, which the manifest does not list"
                place = listed[file.listed].place
                problem = Problem(RULE.code, message, *place, expected=f"{path}: {{sha256: …}}", found="no entry")
                yield finding(RULE, facts.path, problem)


def below(folder: str, path: str) -> str | None:
    """The path from the manifest of what a file in `folder` calls `path`; None when that is no file below it."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
