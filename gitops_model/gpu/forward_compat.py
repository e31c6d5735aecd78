"""The note in which a cuda-compat libcuda.so says on which hosts it may be used.

Section `.note.cuda.fwd_compatibility`, owner `NVIDIA Corporation`, a JSON object `{"Format": 1, "CUDA Version":
"13.1", "Driver": [535, …], "Device": [1, 2, …]}`: driver branches of the host, and device brands that equal the
numbers of nvmlBrandType_t (5 GeForce and 6 Titan are absent). Read by NVIDIA/nvidia-container-toolkit
(cmd/nvidia-cdi-hook/cudacompat/cuda-elf-header.go, 148a054b, read 2026-11-24).
"""

import json
from typing import NamedTuple, cast

from gitops_model.errors import BadFile, Problem
from gitops_model.gpu.elf import SHT_NOTE, read_elf, read_notes
from gitops_model.gpu.part import Bytes

SECTION = ".note.cuda.fwd_compatibility"
OWNER = b"NVIDIA Corporation"


class ForwardCompat(NamedTuple):
    """`driver_branches` and `devices` are empty when the note does not list them."""

    cuda: str
    driver_branches: tuple[int, ...]
    devices: tuple[int, ...]


def read_forward_compat(file: Bytes) -> ForwardCompat | None:
    """The note of a libcuda.so, or None when it has none; a note that cannot be understood is GM002."""
    elf = read_elf(file)
    for section in elf.sections:
        if section.type == SHT_NOTE and section.name == SECTION:
            for note in read_notes(file, section):
                if note.name == OWNER:
                    return _parse(note.description.strip(b"\0"))
    return None


def _parse(text: bytes) -> ForwardCompat:
    try:
        value = cast(object, json.loads(text))
    except (ValueError, RecursionError):
        raise BadFile(Problem("GM002", f"the note {SECTION} is not JSON")) from None
    row = cast(dict[str, object], value) if isinstance(value, dict) else {}
    cuda = row.get("CUDA Version")
    drivers, devices = _numbers(row.get("Driver", [])), _numbers(row.get("Device", []))
    if not isinstance(cuda, str) or drivers is None or devices is None:
        raise BadFile(Problem("GM002", f"the note {SECTION} has fields of a wrong type"))
    return ForwardCompat(cuda, drivers, devices)


def _numbers(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    items = cast(list[object], value)
    return tuple(item for item in items if isinstance(item, int)) if all(type(i) is int for i in items) else None
