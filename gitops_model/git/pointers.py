"""What git stores in place of a large file, told by its content."""

from gitops_model.blob import Pointer
from gitops_model.git import lfs, xet

LIMIT = lfs.POINTER_LIMIT
"""A pointer has fewer bytes."""


def parse(data: bytes) -> Pointer | None:
    """The pointer that `data` is, of Git LFS or git-xet; None when it is anything else."""
    return lfs.parse(data) or xet.parse(data)
