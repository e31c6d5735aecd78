"""YAML as a tree of nodes with places, made from the parser's events under limits that hold before anything grows.

PyYAML's own composer is not used: its C version recurses (a file of 200,000 brackets ends the process), it keeps the
last of two equal keys, and an alias costs it nothing while walking the result costs everything. Here nesting, nodes and
expanded aliases are counted on the event stream, which the parser makes lazily, so a hostile file is left at the limit.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from gitops_model.errors import Problem
from gitops_model.manifest.text import Text

if TYPE_CHECKING:
    from yaml import Event

MAX_DEPTH = 32
"""Levels of nesting; the deepest place of the schema is five levels down."""

MAX_NODES = 40_000
"""Nodes after aliases are followed: a manifest of 10,000 files."""

MAX_PROBLEMS = 500
"""Problems told of one manifest; a file that has more is not a manifest with mistakes but something else."""

_PROLOG = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?+(?:\r\n|\r|\n))*+%")
_AFTER = r"(?:\.\.\.(?=[ \t\r\n]|\Z))?+[ \t]*+(?:#[^\r\n]*+)?+(?:\r\n|\r|\n|\Z)"
"""Lines before and after the document. The repeats give nothing back, so that a long line is read once."""


class Scalar(NamedTuple):
    """Text. `start` and `end` are character positions of the token, quotes included; `plain` is text without quotes."""

    value: str
    start: int
    end: int
    plain: bool = False
    weight: int = 1
    height: int = 0


class Sequence:
    """`weight` counts the nodes below with aliases followed, `height` their levels."""

    # no dataclass: making one takes longer than reading a small manifest
    __slots__ = ("end", "height", "items", "start", "weight")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.items: list[Node] = []
        self.weight = 1
        self.height = 1


class Mapping:
    """Keys are unique text, in the order of the file; each value has the key's token beside it."""

    __slots__ = ("end", "entries", "height", "start", "weight")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.entries: dict[str, tuple[Scalar, Node]] = {}
        self.weight = 1
        self.height = 1


Node: TypeAlias = Scalar | Sequence | Mapping


class Composed(NamedTuple):
    """`root` is None where the text could not be read to its end; `aliased` holds the ids of nodes used twice."""

    root: Node | None
    problems: tuple[Problem, ...]
    aliased: frozenset[int] = frozenset()


class _Stop(Exception):
    """Nothing sensible can follow; the problem is already noted."""


class _Composer:
    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.open: list[Sequence | Mapping] = []
        self.keys: list[Scalar | None] = []
        """One per open collection: the key that waits for its value."""
        self.skip = 0
        """Depth inside a complex key, whose content is passed over."""
        self.root: Node | None = None
        self.aliased: set[int] = set()
        self.nodes = 0

    def note(self, code: str, index: int, message: str, expected: str | None = None, found: str | None = None) -> None:
        line, column = self.text.place(index)
        self.problems.append(Problem(code, message, line, column, expected, found))
        if len(self.problems) == MAX_PROBLEMS:
            raise _Stop

    def stop(self, code: str, index: int, message: str, expected: str | None = None, found: str | None = None) -> _Stop:
        self.note(code, index, message, expected, found)
        return _Stop()

    def count(self, weight: int, index: int) -> None:
        self.nodes += weight
        if self.nodes > MAX_NODES:
            raise self.stop("GM113", index, "the manifest is too large", f"at most {MAX_NODES} YAML nodes", "more")

    def descend(self, levels: int, index: int) -> None:
        if len(self.open) + levels > MAX_DEPTH:
            raise self.stop("GM113", index, "the nesting is too deep", f"at most {MAX_DEPTH} levels", "more")

    # --- what the events say ---------------------------------------------------------------------------------------
    def start(self, node: Sequence | Mapping, anchor: str | None) -> None:
        self.count(1, node.start)
        self.descend(1, node.start)
        self.open.append(node)
        self.keys.append(None)
        if anchor is not None:
            self.anchors.pop(anchor, None)  # while open it must not be found: an alias to it would be a loop

    def end(self, index: int, anchor: str | None) -> None:
        node = self.open.pop()
        self.keys.pop()
        node.end = index
        children = node.items if isinstance(node, Sequence) else [value for _, value in node.entries.values()]
        keys = len(node.entries) if isinstance(node, Mapping) else 0
        node.weight = 1 + keys + sum(child.weight for child in children)
        node.height = 1 + max((child.height for child in children), default=0)
        if anchor is not None:
            self.anchors[anchor] = node
        self.place(node)

    def scalar(self, node: Scalar, anchor: str | None) -> None:
        self.count(1, node.start)
        if anchor is not None:
            self.anchors[anchor] = node
        self.place(node)

    def alias(self, name: str, index: int) -> None:
        node = self.anchors.get(name)
        if node is None:
            raise self.stop("GM101", index, f"the alias *{name} refers to nothing before it, or to what it stands in")
        self.count(node.weight, index)
        self.descend(node.height, index)
        self.aliased.add(id(node))
        self.place(node, index)

    def place(self, node: Node, index: int | None = None) -> None:
        """Put a finished node where it belongs: root, item, key or value."""
        at = node.start if index is None else index
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = self.key(node, at)
        else:
            key = self.keys[-1]
            self.keys[-1] = None
            self.entry(parent, key, node)

    def key(self, node: Node, index: int) -> Scalar:
        if not isinstance(node, Scalar) or (node.plain and not node.value):
            what = "a mapping" if isinstance(node, Mapping) else "a list" if isinstance(node, Sequence) else "nothing"
            self.note("GM115", index, "a key must be text", "text", what)
            return Scalar("", index, index, plain=True)
        if index != node.start:
            return Scalar(node.value, index, index, node.plain)
        return node

    def entry(self, parent: Mapping, key: Scalar, value: Node) -> None:
        if key.plain and not key.value:
            return  # not text: already noted
        if key.plain and key.value == "<<":
            self.note("GM115", key.start, "merge keys (<<) are not read; write the keys out", "plain keys", "<<")
            return
        first = parent.entries.get(key.value)
        if first is None:
            parent.entries[key.value] = key, value
            return
        line, _ = self.text.place(first[0].start)
        found = f"another, after that of line {line}"
        self.note("GM102", key.start, f"the key {shown(key.value)} is there twice", "each key once", found)


def shown(text: str, limit: int = 80) -> str:
    """A text of the file in quotes, cut at `limit` characters."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def compose(text: Text) -> Composed:
    """The nodes of the one document in `text`, and every problem of form (GM101, GM102, GM113, GM115)."""
    composer = _Composer(text)
    try:
        _read(composer)
    except _Stop:
        return Composed(None, tuple(composer.problems))
    return Composed(composer.root, tuple(composer.problems), frozenset(composer.aliased))


def _read(composer: _Composer) -> None:
    import yaml

    text = composer.text
    prolog = _PROLOG.match(text.characters)
    if prolog is not None:
        # before the parser sees it: its table of %TAG directives takes quadratic time
        raise composer.stop("GM115", prolog.end() - 1, "YAML directives are not read", "no line that starts with %")
    pending: list[str | None] = []
    try:
        for event in _events(text.characters):
            if isinstance(event, yaml.DocumentEndEvent):
                _nothing_after(composer, event.end_mark.index)
                return
            _take(composer, event, pending)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        index = mark.index if mark is not None else len(text.characters)
        what = getattr(error, "problem", None) or str(error)
        context = getattr(error, "context", None)
        message = f"{context}, {what}" if context else str(what)
        raise composer.stop("GM101", min(index, len(text.characters)), f"this is no YAML: {message}") from None


def _events(characters: str) -> "Iterator[Event]":
    """The parser's events, one at a time: libyaml's parser where PyYAML has it (20 times as fast), else its own."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(characters)
    try:
        while loader.check_event():
            yield cast("Event", loader.get_event())
    finally:
        loader.dispose()


def _take(composer: _Composer, event: "Event", pending: list[str | None]) -> None:
    import yaml

    index = event.start_mark.index
    tag = getattr(event, "tag", None)
    if tag is not None:
        composer.note("GM115", index, "YAML tags are not read; the schema gives every value its type", "no tag", tag)
    if isinstance(event, yaml.ScalarEvent):
        plain = event.style in {None, ""}
        end = event.end_mark.index
        start = token_start(composer.text.characters, index, end, tagged=tag is not None or event.anchor is not None)
        if not event.value.isascii() and re.search(_SURROGATE, event.value):
            raise composer.stop("GM101", index, "an escape makes half a character", "a whole one", "a lone surrogate")
        composer.scalar(Scalar(event.value, start, end, plain), event.anchor)
    elif isinstance(event, yaml.MappingStartEvent):
        composer.start(Mapping(index), event.anchor)
        pending.append(event.anchor)
    elif isinstance(event, yaml.SequenceStartEvent):
        composer.start(Sequence(index), event.anchor)
        pending.append(event.anchor)
    elif isinstance(event, yaml.CollectionEndEvent):
        composer.end(event.end_mark.index, pending.pop())
    elif isinstance(event, yaml.AliasEvent):
        composer.alias(event.anchor, index)


_SURROGATE = "[\ud800-\udfff]"
_PROPERTIES = r"(?:[&!][^\s,\[\]{}]*\s*)*"


def token_start(characters: str, start: int, end: int, *, tagged: bool) -> int:
    """Where the text of a scalar begins: an event with an anchor or a tag starts at that."""
    if not tagged:
        return start
    match = re.compile(_PROPERTIES).match(characters, start, end)
    return match.end() if match is not None else start


def _nothing_after(composer: _Composer, index: int) -> None:
    """Refuse a second document without parsing it (its directives would cost quadratic time)."""
    characters = composer.text.characters
    after = re.compile(_AFTER)
    while index < len(characters):
        match = after.match(characters, index)
        if match is None or match.end() == index:
            raise composer.stop("GM115", index, "the file holds more than one YAML document", "one document")
        index = match.end()
