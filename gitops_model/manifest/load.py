"""From the bytes of a manifest to its value and to everything that is wrong with it, in one pass."""

from typing import cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem
from gitops_model.manifest.model import Declared, Digest, Listed, Manifest
from gitops_model.manifest.nodes import MAX_PROBLEMS, Composed, Mapping, Node, Scalar, Sequence, compose
from gitops_model.manifest.paths import trouble
from gitops_model.manifest.text import Place, Text, decode
from gitops_model.manifest.typed import Json, typed

MAX_SIZE = 1 << 20
"""Bytes; a manifest that lists 10,000 files has about this size."""


def load(blob: Blob, max_size: int = MAX_SIZE) -> tuple[Manifest | None, tuple[Problem, ...]]:
    """Read a manifest. Without problems the manifest is whole; with some it holds what could be understood.

    The problems are in the order of the file. None stands for a manifest of which nothing could be understood.
    """
    if blob.pointer is not None and not blob.content_is_local:
        message = f"the manifest is a {blob.pointer.system} pointer; keep manifests in Git itself"
        return None, (Problem("GM003", message, 1, 1, expected="YAML", found="a pointer"),)
    if blob.size > max_size:
        expected = f"at most {max_size} bytes"
        return None, (
            Problem("GM113", "the manifest is too large", 1, 1, expected=expected, found=f"{blob.size} bytes"),
        )
    try:
        text, problems = decode(blob.read(0, blob.size))
    except BadFile as error:
        return None, (error.problem,)
    if text is None:
        return None, problems
    composed = compose(text)
    if len(composed.problems) >= MAX_PROBLEMS:
        return None, (*composed.problems, _too_many(text))
    if composed.root is None:
        return None, composed.problems or (_empty(),)
    return _understand(composed, text)


def _understand(composed: Composed, text: Text) -> tuple[Manifest | None, tuple[Problem, ...]]:
    from gitops_model.manifest.validate import schema, validate

    root = composed.root
    assert root is not None
    if not isinstance(root, Mapping):
        if isinstance(root, Scalar) and root.plain and not root.value:
            return None, (*composed.problems, _empty())
        what = "a list" if isinstance(root, Sequence) else "text"
        here = text.place(root.start)
        return None, (
            *composed.problems,
            Problem("GM114", "a manifest is a mapping of keys", *here, expected="name: …", found=what),
        )
    document = cast("dict[str, Json]", typed(root, schema(), schema()))
    problems = list(composed.problems)
    for problem in validate(document, root, text):
        problems.append(problem)
        if len(problems) >= MAX_PROBLEMS:
            break
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0, problem.code))
    if len(problems) >= MAX_PROBLEMS:
        problems.append(_too_many(text))
    return _Builder(text, root, document, composed.aliased).manifest(problems), tuple(problems)


def _too_many(text: Text) -> Problem:
    here = text.place(len(text.characters))
    return Problem("GM113", f"only the first {MAX_PROBLEMS} problems are told", *here)


def _empty() -> Problem:
    return Problem("GM104", "the manifest is empty", 1, 1, expected="name, version, architecture, checksums")


class _Builder:
    """Makes the value from the document; leaves out what the schema refuses."""

    def __init__(self, text: Text, root: Mapping, document: dict[str, Json], aliased: frozenset[int]) -> None:
        self.text = text
        self.root = root
        self.document = document
        self.aliased = aliased

    def manifest(self, problems: list[Problem]) -> Manifest:
        wrong = {problem.code for problem in problems}
        architecture = self.document.get("architecture")
        names = architecture if isinstance(architecture, list) else [architecture]
        targets = self.document.get("targets")
        return Manifest(
            name=self.word("name"),
            version="" if "GM105" in wrong else self.word("version"),
            architecture=tuple(str(name) for name in names if name in ("amd64", "arm64")),
            checksums=self.checksums(),
            inputs=self.values("inputs"),
            outputs=self.values("outputs"),
            runtime=self.section("runtime"),
            provenance=self.section("provenance"),
            signing=self.section("signing"),
            serving=self.section("serving"),
            targets=tuple(word for word in targets if isinstance(word, str)) if isinstance(targets, list) else (),
            acceptance=self.section("acceptance"),
            text=self.text,
            root=self.root,
        )

    def word(self, key: str) -> str:
        value = self.document.get(key)
        return value if isinstance(value, str) else ""

    def section(self, key: str) -> dict[str, Json]:
        value = self.document.get(key)
        return value if isinstance(value, dict) else {}

    def checksums(self) -> dict[str, Listed]:
        """The files whose paths may be used, with the digests that are right in form."""
        listed: dict[str, Listed] = {}
        node = self.root.entries.get("checksums")
        if node is None or not isinstance(node[1], Mapping):
            return listed
        for path, (key, value) in node[1].entries.items():
            if trouble(path) is None:
                digests = tuple(self.digests(value)) if isinstance(value, Mapping) else ()
                listed[path] = Listed(path, self.text.place(key.start), digests)
        return listed

    def digests(self, node: Mapping) -> list[Digest]:
        digests: list[Digest] = []
        shared = id(node) in self.aliased
        for algorithm, (_, value) in node.entries.items():
            length = {"sha256": 64, "sha512": 128, "blake3": 64}.get(algorithm)
            if length is None or not isinstance(value, Scalar) or len(value.value) != length:
                continue
            if value.value.strip("0123456789abcdef"):
                continue
            token = self.text.characters[value.start : value.end]
            start = value.start + (0 if value.plain else 1)
            same = token == value.value or token[1:-1] == value.value
            fixable = same and not shared and id(value) not in self.aliased
            begin = self.text.byte(start) if same else 0
            place = self.text.place(value.start)
            digests.append(Digest(algorithm, value.value, place, begin, begin + length if same else 0, fixable))
        return digests

    def values(self, key: str) -> tuple[Declared, ...] | None:
        node = self.root.entries.get(key)
        document = self.document.get(key)
        if node is None or not isinstance(node[1], Mapping) or not isinstance(document, dict):
            return None
        return tuple(
            self.declared(name, at.start, value, document[name]) for name, (at, value) in node[1].entries.items()
        )

    def declared(self, name: str, at: int, node: Node, value: Json) -> Declared:
        place = self.text.place(at)
        if not isinstance(node, Mapping) or not isinstance(value, dict):
            return Declared(name, place)
        dtype, shape, other = value.get("dtype"), value.get("shape"), value.get("type")
        where = {key: self.text.place(inner.start) for key, (_, inner) in node.entries.items()}
        dims: tuple[Place, ...] = ()
        if "shape" in node.entries and isinstance(items := node.entries["shape"][1], Sequence):
            dims = tuple(self.text.place(item.start) for item in items.items)
        return Declared(
            name,
            place,
            dtype if isinstance(dtype, str) else None,
            where.get("dtype"),
            tuple(dim if isinstance(dim, int | str) else None for dim in shape) if isinstance(shape, list) else None,
            where.get("shape"),
            dims,
            other if isinstance(other, str) else None,
        )
