"""A pickle machine that builds descriptions and executes nothing.

It walks the opcodes of protocols 0 to 5 (CPython's `pickletools` documents them) and keeps, in place of every object
that a real unpickler would import or call, a `Global` or a `Call` that says what it would have been. Nothing is
imported, no attribute is looked up, no callable runs: `os.system` is two words here.

Work and memory are bounded by the number of opcodes (LIMIT_STEPS); every length is checked against the bytes that are
really there before anything is allocated.
"""

from collections.abc import Callable
from struct import unpack_from
from typing import Any, TypeAlias, cast

from gitops_model.blob import Blob
from gitops_model.errors import BadFile, Problem

LIMIT_STEPS = 6_000_000
"""Opcodes per stream: a 60,000-tensor checkpoint takes about 3 million, and 6 million cost at most 500 MiB."""

LARGE = 4096
"""Byte strings above this size stay in the file as a `Bytes`."""

LIMIT_TEXT = 16 * 1024 * 1024
"""Longest text that is decoded; a longer one is GM005."""

Thing: TypeAlias = Any
"""Whatever can stand on the stack: None, bool, int, float, str, bytes, list, dict, tuple, set and the classes below."""


class Global:
    """`module.name` as the stream asks for it. `position` is the offset of the opcode in the stream."""

    __slots__ = ("module", "name", "position")

    def __init__(self, module: str, name: str, position: int) -> None:
        self.module = module
        self.name = name
        self.position = position

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"

    def __repr__(self) -> str:
        return f"Global({self.path})"


class Call:
    """What `function(*args)` would have returned; `state` is what BUILD would have set, items what would be added.

    `function` is a Global where the stream is honest; anything else is kept as it is and never called.
    """

    __slots__ = ("args", "function", "items", "members", "position", "state")

    def __init__(self, function: Thing, args: Thing, position: int) -> None:
        self.function = function
        self.args = args
        self.position = position
        self.state: Thing = None
        self.items: list[tuple[Thing, Thing]] | None = None
        self.members: list[Thing] | None = None

    @property
    def path(self) -> str:
        return self.function.path if isinstance(self.function, Global) else "?"

    @property
    def arguments(self) -> tuple[Thing, ...]:
        """The arguments; none where the stream gives something else than a tuple."""
        return sequence(self.args) or ()

    def __repr__(self) -> str:
        return f"Call({self.path})"


class Persistent:
    """A persistent id: torch keeps its storages behind one."""

    __slots__ = ("key", "position")

    def __init__(self, key: Thing, position: int) -> None:
        self.key = key
        self.position = position


class Bytes:
    """A long byte string left where it is: `length` bytes at `offset` of the stream's blob."""

    __slots__ = ("length", "offset")

    def __init__(self, offset: int, length: int) -> None:
        self.offset = offset
        self.length = length


class Pairs:
    """A dict whose keys need not be hashable here: pairs in the order they were set (the last of equal keys wins)."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Thing, Thing]] = []


MARK = object()

LONG_BINPUT, BINGET, BININT1 = b"rhK"


def sequence(thing: Thing) -> tuple[Thing, ...] | None:
    """A tuple or list as a tuple, None for anything else."""
    return tuple(cast("tuple[Thing, ...]", thing)) if isinstance(thing, (tuple, list)) else None


class Machine:
    """Runs the pickle streams of a blob one after another; `offset` is where the next one begins.

    `calls` holds every callable that a real unpickler would have called, in order, also those whose result is thrown
    away; `globals` every name it would have imported.
    """

    def __init__(self, blob: Blob, offset: int = 0, end: int | None = None) -> None:
        self.blob = blob
        self.offset = offset
        self.end = blob.size if end is None else end
        self.calls: list[tuple[Thing, int]] = []
        self.globals: list[Global] = []
        self.persistent: list[Persistent] = []
        self.steps = 0
        self._buffer = b""
        self._start = offset
        self._at = 0

    # --- bytes ------------------------------------------------------------------------------------------------------
    def take(self, length: int) -> bytes:
        at = self._at
        part = self._buffer[at : at + length]
        if len(part) != length:
            self._refill(length)
            part = self._buffer[:length]
            at = 0
        self._at = at + length
        return part

    def _refill(self, length: int) -> None:
        here = self._start + self._at
        if here + length > self.end:
            raise BadFile(self.cut(here, length))
        self._buffer = self.blob.read(here, min(max(length, 1 << 18), self.end - here))
        self._start = here
        self._at = 0

    def cut(self, offset: int, length: int) -> Problem:
        """The stream ends in the middle: GM001 where it ends with the file, GM002 where more would have followed."""
        if self.end == self.blob.size:
            return self.blob.truncated(offset, length)
        return Problem("GM002", f"the pickle ends at byte {self.end} in the middle of an opcode at {offset}")

    def skip(self, length: int) -> int:
        """Step over `length` bytes; returns the offset in the blob where they begin."""
        here = self._start + self._at
        if here + length > self.end:
            raise BadFile(self.cut(here, length))
        if self._at + length <= len(self._buffer):
            self._at += length
        else:
            self._buffer, self._start, self._at = b"", here + length, 0
        return here

    def line(self) -> bytes:
        """The bytes up to the next newline, without it (protocol 0 arguments)."""
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            here = self._start + self._at
            want = 1 << 12
            while True:
                want = min(want, self.end - here)
                self._buffer, self._start, self._at = self.blob.read(here, want), here, 0
                end = self._buffer.find(b"\n")
                if end >= 0:
                    break
                if here + want == self.end:
                    raise BadFile(self.cut(here, want + 1))
                if want > LIMIT_TEXT:
                    raise BadFile(Problem("GM005", f"a line of the pickle at byte {here} has more than {want} bytes"))
                want *= 2
        text = self._buffer[self._at : end]
        self._at = end + 1
        return text

    # --- running ----------------------------------------------------------------------------------------------------
    def run(self) -> Thing:
        """The description of the next stream's object. Raises BadFile GM001, GM002, GM005."""
        from gitops_model.readers.pickling.containers import OPCODES

        self.stack: list[Thing] = []
        self.memo: dict[int, Thing] = {}
        handlers = OPCODES
        self._start, self._at, self._buffer = self.offset, 0, b""
        steps = self.steps
        stack, memo, number = self.stack, self.memo, int.from_bytes
        try:
            while True:
                at, buffer = self._at, self._buffer
                room = len(buffer)
                opcode = -1
                # Four of five opcodes of a checkpoint are these three: done here, half of the time is saved. None of
                # them can fail: what is not plainly there is left to the opcode's own function.
                while at < room:
                    steps += 1
                    opcode = buffer[at]
                    at += 1
                    if steps > LIMIT_STEPS:
                        break
                    if opcode == LONG_BINPUT and at + 4 <= room and stack:
                        memo[number(buffer[at : at + 4], "little")] = stack[-1]
                        at += 4
                    elif opcode == BINGET and at < room and buffer[at] in memo:
                        stack.append(memo[buffer[at]])
                        at += 1
                    elif opcode == BININT1 and at < room:
                        stack.append(buffer[at])
                        at += 1
                    else:
                        break
                    opcode = -1
                self._at = at
                if opcode < 0:
                    steps += 1
                    opcode = self.take(1)[0]
                if steps > LIMIT_STEPS:
                    raise BadFile(Problem("GM005", f"the pickle has more than {LIMIT_STEPS} opcodes"))
                handler = handlers[opcode]
                if handler is None:
                    raise BadFile(Problem("GM002", f"byte {self.position} is no pickle opcode (0x{opcode:02x})"))
                if handler(self):
                    break
            result = self.stack.pop()
        except (IndexError, ValueError, TypeError, OverflowError, UnicodeError) as error:
            problem = Problem("GM002", f"the pickle contradicts itself at byte {self.position}: {reason(error)}")
            raise BadFile(problem) from error
        finally:
            self.steps = steps
        if result is MARK:
            raise BadFile(Problem("GM002", "the pickle ends with a mark instead of an object"))
        self.offset = self._start + self._at
        return result

    @property
    def position(self) -> int:
        """The offset in the blob of the opcode being run (of its last byte read)."""
        return self._start + self._at - 1

    def pop_mark(self) -> list[Thing]:
        """Everything above the topmost mark, which is taken off too."""
        stack = self.stack
        index = len(stack) - 1
        while stack[index] is not MARK:
            index -= 1
            if index < 0:
                raise IndexError("no mark on the stack")
        things = stack[index + 1 :]
        del stack[index:]
        return things

    def call(self, function: Thing, args: Thing) -> Call:
        """Note the call that a real unpickler would make here."""
        position = self.position
        self.calls.append((function, position))
        return Call(function, args, position)

    def find(self, module: str, name: str) -> Global:
        found = Global(module, name, self.position)
        self.globals.append(found)
        return found

    def persist(self, key: Thing) -> Persistent:
        found = Persistent(key, self.position)
        self.persistent.append(found)
        return found


def reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "the stack or memo holds no such item"
    return "an argument is of the wrong kind"


Handler: TypeAlias = Callable[[Machine], bool | None]


def unpack(layout: str, data: bytes) -> Any:
    return unpack_from(layout, data)[0]
