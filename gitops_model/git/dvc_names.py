"""Which files are DVC's, by name alone; imports nothing, so that every blob may ask."""

SUFFIX = ".dvc"
LOCK = "dvc.lock"

LIMIT = 1 << 20
"""Bytes of a `.dvc` file or `dvc.lock`."""


def is_pointer_path(path: str) -> bool:
    """Whether a file is DVC's by its name."""
    name = path.rpartition("/")[2]
    return name == LOCK or (name.endswith(SUFFIX) and name != SUFFIX)
