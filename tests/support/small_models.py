"""Small real model files for the tests of checks."""

import hashlib
import struct

SAFETENSORS = (
    struct.pack("<Q", 56) + b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ' + struct.pack("<2f", 1, 2)
)
OTHER_SAFETENSORS = SAFETENSORS[:-1] + b"\x41"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(name: str = "m", **files: bytes) -> str:
    """A manifest of files whose names are written with `__` for a slash and `_dot_` for a dot."""
    head = f"name: {name}\nversion: 1.0.0\narchitecture: amd64\nchecksums:\n"
    lines = [
        f"  {path.replace('__', '/').replace('_dot_', '.')}: {{sha256: {sha256(data)}}}\n"
        for path, data in files.items()
    ]
    return head + "".join(lines)


def pointer(data: bytes) -> str:
    """The Git LFS pointer of `data`."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {len(data)}\n"
