"""The machine-readable end of a release tag's message: git trailers, whose values are words or JSON on one line.

    resnet 1.2.0-rc.1

    Gitops-Model: 1
    Gitops-Model-Name: resnet
    Gitops-Model-Version: 1.2.0-rc.1
    Gitops-Model-Manifest: {"path":"models/resnet/model.yaml","sha256":"…"}
    Gitops-Model-File: {"blob":"…","path":"models/resnet/model.onnx","structure":"gm1-…","weights":"gm1-…"}

`git for-each-ref --format='%(contents:trailers:key=Gitops-Model-File)'` prints them. What a tag states is compared with
the commit that it is on: a block is a claim of whoever wrote the tag.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

KEY = "Gitops-Model"
FORMAT = "1"
LIMIT = 1 << 20
"""Characters of a message that are looked at."""

_LINE = re.compile(r"Gitops-Model(?P<key>-[A-Za-z]+)?: (?P<value>[^\r\n]*)")


_SIGNATURE = re.compile(r"^-----BEGIN [A-Z ]+-----$", re.MULTILINE)


class File(NamedTuple):
    """A file of the release: its path from the root, its blob (that of a pointer), and its digests if known."""

    path: str
    blob: str
    weights: str | None = None
    structure: str | None = None


class Block(NamedTuple):
    name: str
    version: str
    manifest: str
    manifest_sha256: str
    files: tuple[File, ...]


def write(block: Block, words: str = "") -> str:
    """The whole message: a title, `words` of the user, and the block."""
    rows = [
        f"{KEY}: {FORMAT}",
        f"{KEY}-Name: {block.name}",
        f"{KEY}-Version: {block.version}",
        f"{KEY}-Manifest: {_json({'path': block.manifest, 'sha256': block.manifest_sha256})}",
    ]
    for file in sorted(block.files):
        known = {key: value for key, value in file._asdict().items() if value is not None}
        rows.append(f"{KEY}-File: {_json(known)}")
    body = f"{words.strip()}\n\n" if words.strip() else ""
    return f"{block.name} {block.version}\n\n{body}" + "".join(f"{row}\n" for row in rows)


def read(message: str) -> Block | None:
    """The block that ends a message; None where there is none, or one that this version does not understand."""
    text = message[:LIMIT]
    signatures = list(_SIGNATURE.finditer(text))  # one follows the message in the tag object
    paragraph = (text[: signatures[-1].start()] if signatures else text).rstrip("\n").rpartition("\n\n")[2]
    fields: dict[str, list[str]] = {}
    for line in paragraph.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        fields.setdefault((match["key"] or "").lstrip("-"), []).append(match["value"])
    try:
        form, name, version, manifest = (_only(fields.get(key)) for key in ("", "Name", "Version", "Manifest"))
        told = cast("dict[str, Any]", json.loads(manifest))
        files = tuple(_file(json.loads(row)) for row in fields.get("File", ()))
        return Block(name, version, _text(told["path"]), _text(told["sha256"]), files) if form == FORMAT else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _only(values: list[str] | None) -> str:
    if values is None or len(values) != 1:
        raise ValueError("a key that must be there once is not")
    return values[0]


def _file(told: Any) -> File:
    more = (None if told.get(key) is None else _text(told[key]) for key in ("weights", "structure"))
    return File(_text(told["path"]), _text(told["blob"]), *more)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _json(fields: dict[str, Any]) -> str:
    """On one line whatever the texts hold: JSON spells line breaks out, and ASCII leaves no others."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def blobs(files: Iterable[File]) -> dict[str, str]:
    """Path → blob."""
    return {file.path: file.blob for file in files}
