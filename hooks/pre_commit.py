"""git's own `pre-commit`, where the framework is not used: manifests, then models, then the record, in one process."""

import os

from .model_check import RULES
from .program import failed, program
from .touched import GitFailed, concerns_models, is_model, staged_paths


def run(_words: list[str]) -> int:
    try:
        paths = staged_paths()
        if not concerns_models(paths):
            return 0
    except GitFailed as error:
        return failed("pre-commit", error)
    code = program("check", "--staged")
    models = [os.fsdecode(path) for path in paths if is_model(path)]
    if code or not models:
        return code
    return program("check", "--staged", "--select", RULES, "--format", "text") or program("record", "--staged")
