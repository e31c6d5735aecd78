"""Digests over all bytes of a blob, a window at a time."""

from gitops_model.blob import Blob


def digest(blob: Blob, algorithm: str) -> str:
    """Hex digest by an algorithm of hashlib."""
    import hashlib

    state = hashlib.new(algorithm, usedforsecurity=False)
    for window in blob.windows(0, blob.size):
        state.update(window)
    return state.hexdigest()


def blob_id(blob: Blob, object_format: str) -> str:
    """The id that git gives these bytes (no filter applied)."""
    import hashlib

    state = hashlib.new(object_format, b"blob %d\0" % blob.size, usedforsecurity=False)
    for window in blob.windows(0, blob.size):
        state.update(window)
    return state.hexdigest()
