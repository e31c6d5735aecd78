"""The digest of everything that one verdict rests on: both documents, and the tables that judged them.

BLAKE3 of `gitops-model/gpu-facts/1` 00, then the two documents as canonical JSON (sorted keys, no blanks, UTF-8), each
followed by 00, then the name of each fact table, 00, and its BLAKE3 digest, by name. What is there for people only
(names, sources, problems, the compiler) is left out, so that the same machine under another name has the same digest.
"""

import json
import os
from functools import cache
from typing import Any

from gitops_model.gpu import facts
from gitops_model.gpu.contract import Document
from gitops_model.gpu.profiles import resolve

PREFIX = "gm1-gpu-facts:"
_PEOPLE = frozenset(("name", "sources", "problems", "nvcc"))


def facts_digest(needs: Document, machine: Document) -> str:
    """`gm1-gpu-facts:` and 64 hexadecimal digits; a profile counts as what it supplies."""
    from blake3 import blake3

    hasher = blake3(b"gitops-model/gpu-facts/1\0")
    for document in (needs, resolve(machine)):
        hasher.update(_canonical({key: value for key, value in document.items() if key not in _PEOPLE}) + b"\0")
    hasher.update(_tables())
    return PREFIX + hasher.hexdigest()


def _canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


@cache
def _tables() -> bytes:
    from blake3 import blake3

    found = b""
    for name in facts.TABLES:
        with open(os.path.join(os.path.dirname(facts.__file__), f"{name}.json"), "rb") as stream:
            found += name.encode() + b"\0" + blake3(stream.read()).digest()
    return found
