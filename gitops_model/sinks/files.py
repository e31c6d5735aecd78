"""Reports as files: whole or not at all."""

import os
import tempfile

from gitops_model.errors import CouldNotRun


def write(path: str, text: str) -> None:
    """Put `text` at `path`, its folder made where it is missing."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", dir=folder, delete=False
        ) as f:
            f.write(text)
        os.chmod(f.name, 0o644)
        os.replace(f.name, path)
    except OSError as error:
        raise CouldNotRun(f"{path}: cannot write: {error.strerror}") from error
