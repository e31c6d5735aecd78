"""Pointers of git-xet, the forerunner of Hugging Face's storage (which uses LFS pointers): read, never followed.

Three lines of TOML: a comment with the version, `filesize`, and `hash`, which is a Merkle hash and no digest of the
bytes; so nothing on disk can be told to be the content.
"""

import re

from gitops_model.blob import Pointer

_POINTER = rb"# xet version 0\nfilesize = ([0-9]{1,19})\nhash = ['\"]([0-9a-f]{64})['\"]\n?"


def parse(data: bytes) -> Pointer | None:
    """The pointer that `data` is; None when it is anything else."""
    match = re.fullmatch(_POINTER, data) if data.startswith(b"# xet") else None
    return Pointer("xet", "xet", match[2].decode(), int(match[1])) if match else None
