"""Real CUDA libraries, NVIDIA's own reader of them, and their bones: the headers that the scanner reads of them."""

import re
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path
from typing import Protocol

from support import models

DATA = Path(__file__).parents[1] / "data"
LOCK = DATA / "cuda.lock"
BONES = DATA / "gpu" / "real"
MAX_BONES = 100_000
"""Bytes of bones that are worth keeping: libcufft has 18,227 containers."""

LIBRARIES = (
    ("xformers==0.0.35", "xformers/_C.so"),
    ("bitsandbytes==0.50.2", "bitsandbytes/libbitsandbytes_cuda118.so"),
    ("bitsandbytes==0.50.2", "bitsandbytes/libbitsandbytes_cuda128.so"),
    ("bitsandbytes==0.50.2", "bitsandbytes/libbitsandbytes_cuda132.so"),
    ("nvidia-curand==10.4.5.25", "nvidia/cu13/lib/libcurand.so.10"),
    ("onnxruntime-gpu==1.31.1", "onnxruntime/capi/libonnxruntime_providers_cuda.so"),
    ("nvidia-cudnn-cu13==9.28.1.4", "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9"),
    ("nvidia-cudnn-cu13==9.28.1.4", "nvidia/cudnn/lib/libcudnn_ops.so.9"),
    ("nvidia-cufft==12.5.0.14", "nvidia/cu13/lib/libcufft.so.12"),
)
_LISTED = re.compile(r"^(ELF|PTX) file +\d+: .*\.sm_(\d+[af]?)\.(?:cubin|ptx)$", re.MULTILINE)


def real(requirement: str, path: str) -> Path:
    """A file of a wheel of cuda.lock; downloads the wheel if it has to."""
    pin = models.pins(LOCK)[requirement]
    models.fetch(pin)
    return models.member(pin, path)


class Cuobjdump:
    """NVIDIA's cuobjdump; `counts` are images per "kind arch" as it lists them."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "cuobjdump"
        shutil.copy(real("nvidia-cuda-cuobjdump==13.5.37", "nvidia/cu13/bin/cuobjdump"), self.program)
        self.program.chmod(0o755)

    def counts(self, path: Path) -> dict[str, int]:
        """-all lists __nv_relfatbin too. Family cubins are listed without their `f` (see `without_family`)."""
        found: Counter[str] = Counter()
        for option in ("-lelf", "-lptx"):
            done = subprocess.run([self.program, "-all", option, path], capture_output=True, text=True, check=False)
            if done.returncode != 0 and "does not contain device code" not in done.stdout + done.stderr:
                raise RuntimeError(f"cuobjdump cannot read {path}: {done.stderr or done.stdout}")
            for kind, arch in _LISTED.findall(done.stdout):
                found[f"{'sass' if kind == 'ELF' else 'ptx'} {arch}"] += 1
        return dict(sorted(found.items()))


def without_family(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    """Our counts in cuobjdump's words: cubins without `f`, and no LTO-IR, which it does not list."""
    found: Counter[str] = Counter()
    for (kind, arch), number in counts.items():
        if kind != "ltoir":
            found[f"{kind} {arch.removesuffix('f') if kind == 'sass' else arch}"] += number
    return dict(sorted(found.items()))


class Readable(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes: ...


class Recorder:
    """Passes reads on and keeps those of headers (not the large ones in which embedded code is searched)."""

    LARGE = 1 << 16

    def __init__(self, file: Readable) -> None:
        self.path, self.size, self._file = file.path, file.size, file
        self.kept: dict[int, bytes] = {}

    def read(self, offset: int, length: int) -> bytes:
        data = self._file.read(offset, length)
        if length < self.LARGE or offset == 0:
            self.kept[offset] = max(self.kept.get(offset, b""), data[:4096] if offset == 0 else data, key=len)
        return data

    def bones(self) -> bytes:
        rows = [struct.pack("<Q", self.size)]
        for offset, data in sorted(self.kept.items()):
            rows.append(struct.pack("<QI", offset, len(data)) + data)
        return zlib.compress(b"".join(rows), 9)


class Bones:
    """A library without its flesh: headers where they were, zeros elsewhere. Counts the bytes read in small pieces."""

    def __init__(self, path: Path) -> None:
        data = zlib.decompress(path.read_bytes())
        self.path = path.stem
        (self.size,) = struct.unpack_from("<Q", data)
        self._kept: dict[int, bytes] = {}
        self.headers = 0
        at = 8
        while at < len(data):
            offset, length = struct.unpack_from("<QI", data, at)
            self._kept[offset] = data[at + 12 : at + 12 + length]
            at += 12 + length

    def read(self, offset: int, length: int) -> bytes:
        assert 0 <= offset <= offset + length <= self.size
        kept = self._kept.get(offset, b"")[:length]
        self.headers += length if length < Recorder.LARGE else 0
        return kept + bytes(length - len(kept))
