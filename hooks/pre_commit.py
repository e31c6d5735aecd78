"""git's own `pre-commit`, where the framework is not used: the checks, then the record, in one process."""

from .program import check_staged, failed, program
from .touched import GitFailed, concerns_models, is_model, staged_paths


def run(_words: list[str]) -> int:
    try:
        paths = staged_paths()
        if not concerns_models(paths):
            return 0
    except GitFailed as error:
        return failed("pre-commit", error)
    code = check_staged()  # of manifests and of model files, with all rules
    if code or not any(map(is_model, paths)):
        return code
    return program("record", "--staged")
