"""The pickle opcodes, one small function each, and the table from byte to function.

A function works on the machine's stack and returns True only for STOP. Containers that the stream builds are plain
lists and `Pairs` (a dict whose keys may be anything), so that no hash function of a described object is needed.
"""

from collections.abc import Callable

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.pickling.machine import (
    LARGE,
    LIMIT_TEXT,
    MARK,
    Bytes,
    Handler,
    Machine,
    unpack,
)

OPCODES: list[Handler | None] = [None] * 256


def opcode(byte: bytes) -> Callable[[Handler], Handler]:
    def register(function: Handler) -> Handler:
        OPCODES[byte[0]] = function
        return function

    return register


# --- frame and protocol --------------------------------------------------------------------------------------------
@opcode(b"\x80")
def proto(m: Machine) -> None:
    version = m.take(1)[0]
    if version > 5:
        raise BadFile(Problem("GM002", f"pickle protocol {version} is not known", expected="0 to 5"))


@opcode(b"\x95")
def frame(m: Machine) -> None:
    m.take(8)  # only a hint for buffering; each opcode is checked on its own


@opcode(b".")
def stop(_: Machine) -> bool:
    return True


# --- numbers and constants -----------------------------------------------------------------------------------------
@opcode(b"N")
def none(m: Machine) -> None:
    m.stack.append(None)


@opcode(b"\x88")
def new_true(m: Machine) -> None:
    m.stack.append(True)


@opcode(b"\x89")
def new_false(m: Machine) -> None:
    m.stack.append(False)


@opcode(b"K")
def binint1(m: Machine) -> None:
    m.stack.append(m.take(1)[0])


@opcode(b"M")
def binint2(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(2), "little"))


@opcode(b"J")
def binint(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(4), "little", signed=True))


@opcode(b"I")
def int_line(m: Machine) -> None:
    text = m.line()
    m.stack.append({b"00": False, b"01": True}[text] if text in (b"00", b"01") else decimal(text))


@opcode(b"L")
def long_line(m: Machine) -> None:
    m.stack.append(decimal(m.line().rstrip(b"L")))


@opcode(b"\x8a")
def long1(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(m.take(1)[0]), "little", signed=True))


@opcode(b"\x8b")
def long4(m: Machine) -> None:
    length = unpack("<i", m.take(4))
    if not 0 <= length <= LARGE:
        raise BadFile(Problem("GM005", f"an integer of {length} bytes in the pickle at byte {m.position}"))
    m.stack.append(int.from_bytes(m.take(length), "little", signed=True))


@opcode(b"F")
def float_line(m: Machine) -> None:
    m.stack.append(float(m.line()))


@opcode(b"G")
def binfloat(m: Machine) -> None:
    m.stack.append(unpack(">d", m.take(8)))


def decimal(text: bytes) -> int:
    if len(text) > 4000:  # CPython refuses to convert longer decimals too (quadratic time)
        raise BadFile(Problem("GM005", f"an integer of {len(text)} digits in the pickle"))
    return int(text)


# --- texts and bytes -----------------------------------------------------------------------------------------------
def text(m: Machine, length: int) -> str:
    if length > LIMIT_TEXT:
        m.skip(length)  # a length that the file does not hold is the truer finding
        raise BadFile(Problem("GM005", f"a text of {length} bytes in the pickle at byte {m.position}"))
    return m.take(length).decode("utf-8", "surrogatepass")


def raw(m: Machine, length: int) -> bytes | Bytes:
    if length <= LARGE:
        return m.take(length)
    return Bytes(m.skip(length), length)


@opcode(b"X")
def binunicode(m: Machine) -> None:
    m.stack.append(text(m, unpack("<I", m.take(4))))


@opcode(b"\x8c")
def short_binunicode(m: Machine) -> None:
    m.stack.append(text(m, m.take(1)[0]))


@opcode(b"\x8d")
def binunicode8(m: Machine) -> None:
    m.stack.append(text(m, unpack("<Q", m.take(8))))


@opcode(b"V")
def unicode_line(m: Machine) -> None:
    m.stack.append(m.line().decode("raw-unicode-escape"))


@opcode(b"S")
def string_line(m: Machine) -> None:
    quoted = m.line().strip()
    if len(quoted) < 2 or quoted[:1] != quoted[-1:] or quoted[:1] not in (b"'", b'"'):
        raise ValueError("a string without its quotes")
    from codecs import escape_decode

    m.stack.append(escape_decode(quoted[1:-1])[0].decode("latin-1"))


@opcode(b"T")
def binstring(m: Machine) -> None:
    length = unpack("<i", m.take(4))
    if length < 0:
        raise ValueError("a negative length")
    data = raw(m, length)
    m.stack.append(data if isinstance(data, Bytes) else data.decode("latin-1"))


@opcode(b"U")
def short_binstring(m: Machine) -> None:
    m.stack.append(m.take(m.take(1)[0]).decode("latin-1"))


@opcode(b"B")
def binbytes(m: Machine) -> None:
    m.stack.append(raw(m, unpack("<I", m.take(4))))


@opcode(b"C")
def short_binbytes(m: Machine) -> None:
    m.stack.append(m.take(m.take(1)[0]))


@opcode(b"\x8e")
def binbytes8(m: Machine) -> None:
    m.stack.append(raw(m, unpack("<Q", m.take(8))))


@opcode(b"\x96")
def bytearray8(m: Machine) -> None:
    m.stack.append(raw(m, unpack("<Q", m.take(8))))


# --- stack and memo ------------------------------------------------------------------------------------------------
@opcode(b"(")
def mark(m: Machine) -> None:
    m.stack.append(MARK)


@opcode(b"0")
def pop(m: Machine) -> None:
    m.stack.pop()


@opcode(b"1")
def pop_mark(m: Machine) -> None:
    m.pop_mark()


@opcode(b"2")
def dup(m: Machine) -> None:
    m.stack.append(m.stack[-1])


@opcode(b"p")
def put(m: Machine) -> None:
    m.memo[decimal(m.line())] = m.stack[-1]


@opcode(b"q")
def binput(m: Machine) -> None:
    m.memo[m.take(1)[0]] = m.stack[-1]


@opcode(b"r")
def long_binput(m: Machine) -> None:
    m.memo[int.from_bytes(m.take(4), "little")] = m.stack[-1]


@opcode(b"\x94")
def memoize(m: Machine) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


def recall(m: Machine, index: int) -> None:
    try:
        m.stack.append(m.memo[index])
    except KeyError:
        raise IndexError("no such memo entry") from None


@opcode(b"g")
def get(m: Machine) -> None:
    recall(m, decimal(m.line()))


@opcode(b"h")
def binget(m: Machine) -> None:
    recall(m, m.take(1)[0])


@opcode(b"j")
def long_binget(m: Machine) -> None:
    recall(m, int.from_bytes(m.take(4), "little"))
