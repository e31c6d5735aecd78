"""Digests of a whole file, several algorithms in one pass over its bytes."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gitops_model.blob import Blob

PARALLEL = 1 << 20
"""Bytes from which BLAKE3 uses all cores: starting its threads costs more than hashing less."""


class _Hash(Protocol):
    def update(self, data: "bytes | bytearray | memoryview", /) -> object: ...
    def hexdigest(self) -> str: ...


def file_digests(
    blob: "Blob", algorithms: Iterable[str], progress: Callable[[int], None] | None = None
) -> dict[str, str]:
    """The lower-case hex digests of `blob` by `sha256`, `sha512` and `blake3`, whichever are asked for.

    Memory is one window. `progress` is called with the bytes of each.
    """
    hashes = {name: _new(name, blob.size) for name in algorithms}
    if not hashes:
        return {}
    for window in blob.windows(0, blob.size):
        for state in hashes.values():
            state.update(window)
        if progress is not None:
            progress(len(window))
    return {name: state.hexdigest() for name, state in hashes.items()}


def _new(name: str, size: int) -> _Hash:
    if name == "blake3":
        from blake3 import blake3

        return blake3(max_threads=blake3.AUTO if size >= PARALLEL else 1)
    import hashlib

    return hashlib.sha512() if name == "sha512" else hashlib.sha256()
