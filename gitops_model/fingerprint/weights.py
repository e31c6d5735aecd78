"""The digest of a set of named tensors, and of every part of it that a name prefix stands for."""

import re
from collections.abc import Iterable

from gitops_model.fingerprint.encode import name_bytes
from gitops_model.ir import Span
from gitops_model.readers.bytes import TensorBytes

NamedDigest = tuple[str, bytes]
"""A tensor's name and its 32-byte digest."""

PREFIX_DEPTH = 16
"""Components of the longest prefix that `prefix_digests` gives; a hostile name can have any number."""

_COMPONENT_END = re.compile(r"[./]")


def weights_digest(tensors: Iterable[NamedDigest], prefix: str = "", *, recipe: str = "weights") -> str:
    """The digest of the tensors under a prefix of whole components ("" is the model): `gm1-weights:<hex>`."""
    from blake3 import blake3

    rows = sorted((name_bytes(name), digest) for name, digest in tensors if is_under(name, prefix))
    hasher = blake3(f"gitops-model/{recipe}/1\0".encode())
    hasher.update(b"".join(len(name).to_bytes(4, "little") + name + digest for name, digest in rows))
    return f"gm1-{recipe}:{hasher.hexdigest()}"


def is_under(name: str, prefix: str) -> bool:
    """Whether `prefix` is "" or whole leading components of `name`: `layer.1` is not a prefix of `layer.10.w`."""
    return not prefix or name == prefix or (name.startswith(prefix) and name[len(prefix)] in "./")


def prefixes(name: str) -> list[str]:
    """The proper prefixes of a name, shortest first, at most `PREFIX_DEPTH`: `a.b/c` → `a`, `a.b`."""
    found: list[str] = []
    for end in _COMPONENT_END.finditer(name):
        if end.start():
            found.append(name[: end.start()])
            if len(found) == PREFIX_DEPTH:
                break
    return found


def prefix_digests(tensors: Iterable[NamedDigest]) -> dict[str, str]:
    """The weights digest of every prefix of at most `PREFIX_DEPTH` components, "" included, in one pass."""
    groups: dict[str, list[NamedDigest]] = {"": []}
    for name, digest in tensors:
        for prefix in ("", *prefixes(name)):
            groups.setdefault(prefix, []).append((name, digest))
    names = set(groups)
    for name, digest in groups[""]:
        if name in names and name:
            groups[name].append((name, digest))
    return {prefix: weights_digest(rows) for prefix, rows in sorted(groups.items())}


def header_digest(data: TensorBytes, header: Span) -> str:
    """What stands for the weights of a file without tensors: the digest of the bytes that describe it."""
    from blake3 import blake3

    hasher = blake3(b"gitops-model/header/1\0")
    for chunk in data.chunks(header):
        hasher.update(chunk)
    return f"gm1-weights:{hasher.hexdigest()}"
