"""The pickle opcodes, one small function each, and the table from byte to function.

A function works on the machine's stack and returns True only for STOP. Containers that the stream builds are plain
lists and `Pairs` (a dict whose keys may be anything), so that no hash function of a described object is needed.
"""

from collections.abc import Callable
from typing import cast

from gitops_model.errors import BadFile, Problem
from gitops_model.readers.pickle_machine import (
    LARGE,
    LIMIT_TEXT,
    MARK,
    Bytes,
    Call,
    Global,
    Handler,
    Machine,
    Pairs,
    Thing,
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


# --- containers ----------------------------------------------------------------------------------------------------
@opcode(b")")
def empty_tuple(m: Machine) -> None:
    m.stack.append(())


@opcode(b"t")
def tuple_of_mark(m: Machine) -> None:
    m.stack.append(tuple(m.pop_mark()))


@opcode(b"\x85")
def tuple1(m: Machine) -> None:
    m.stack[-1] = (m.stack[-1],)


@opcode(b"\x86")
def tuple2(m: Machine) -> None:
    m.stack[-2:] = [(m.stack[-2], m.stack[-1])]


@opcode(b"\x87")
def tuple3(m: Machine) -> None:
    m.stack[-3:] = [(m.stack[-3], m.stack[-2], m.stack[-1])]


@opcode(b"]")
def empty_list(m: Machine) -> None:
    m.stack.append([])


@opcode(b"l")
def list_of_mark(m: Machine) -> None:
    m.stack.append(m.pop_mark())


@opcode(b"a")
def append(m: Machine) -> None:
    value = m.stack.pop()
    extend(m.stack[-1], [value])


@opcode(b"e")
def appends(m: Machine) -> None:
    values = m.pop_mark()
    extend(m.stack[-1], values)


@opcode(b"\x8f")
def empty_set(m: Machine) -> None:
    m.stack.append([])


@opcode(b"\x90")
def additems(m: Machine) -> None:
    values = m.pop_mark()
    extend(m.stack[-1], values)


@opcode(b"\x91")
def frozenset_of_mark(m: Machine) -> None:
    m.stack.append(m.pop_mark())


@opcode(b"}")
def empty_dict(m: Machine) -> None:
    m.stack.append(Pairs())


@opcode(b"d")
def dict_of_mark(m: Machine) -> None:
    things = m.pop_mark()
    made = Pairs()
    made.pairs.extend(zip(things[::2], things[1::2], strict=True))
    m.stack.append(made)


@opcode(b"s")
def setitem(m: Machine) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    assign(m.stack[-1], [(key, value)])


@opcode(b"u")
def setitems(m: Machine) -> None:
    things = m.pop_mark()
    assign(m.stack[-1], list(zip(things[::2], things[1::2], strict=True)))


def extend(target: Thing, values: list[Thing]) -> None:
    if isinstance(target, list):
        cast("list[Thing]", target).extend(values)
    elif isinstance(target, Call):
        if target.members is None:
            target.members = []
        target.members.extend(values)
    else:
        raise TypeError("not a list")


def assign(target: Thing, pairs: list[tuple[Thing, Thing]]) -> None:
    if isinstance(target, Pairs):
        target.pairs.extend(pairs)
    elif isinstance(target, Call):
        if target.items is None:
            target.items = []
        target.items.extend(pairs)
    else:
        raise TypeError("not a dict")


# --- what a real unpickler would import and call -------------------------------------------------------------------
@opcode(b"c")
def global_line(m: Machine) -> None:
    module = m.line().decode("utf-8")
    name = m.line().decode("utf-8")
    m.stack.append(m.find(module, name))


@opcode(b"\x93")
def stack_global(m: Machine) -> None:
    name = m.stack.pop()
    module = m.stack.pop()
    if not (isinstance(name, str) and isinstance(module, str)):
        raise TypeError("a global's name must be text")
    m.stack.append(m.find(module, name))


@opcode(b"R")
def reduce(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = m.call(m.stack[-1], args)


@opcode(b"\x81")
def newobj(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = m.call(m.stack[-1], args)


@opcode(b"\x92")
def newobj_ex(m: Machine) -> None:
    keywords = m.stack.pop()
    args = m.stack.pop()
    m.stack[-1] = m.call(m.stack[-1], (args, keywords))


@opcode(b"i")
def inst(m: Machine) -> None:
    module = m.line().decode("utf-8")
    name = m.line().decode("utf-8")
    args = tuple(m.pop_mark())
    m.stack.append(m.call(m.find(module, name), args))


@opcode(b"o")
def obj(m: Machine) -> None:
    things = m.pop_mark()
    m.stack.append(m.call(things[0], tuple(things[1:])))


@opcode(b"b")
def build(m: Machine) -> None:
    state = m.stack.pop()
    target = m.stack[-1]
    if isinstance(target, Call):
        target.state = state
    else:  # a real unpickler would look for __setstate__ on it
        m.calls.append((target, m.position))


def extension(m: Machine, code: int) -> None:
    # The registry of extension codes is the loading program's: what is meant cannot be known here.
    m.stack.append(m.find("copyreg", f"extension {code}"))


@opcode(b"\x82")
def ext1(m: Machine) -> None:
    extension(m, m.take(1)[0])


@opcode(b"\x83")
def ext2(m: Machine) -> None:
    extension(m, int.from_bytes(m.take(2), "little"))


@opcode(b"\x84")
def ext4(m: Machine) -> None:
    extension(m, int.from_bytes(m.take(4), "little"))


@opcode(b"P")
def persid(m: Machine) -> None:
    m.stack.append(m.persist(m.line().decode("utf-8")))


@opcode(b"Q")
def binpersid(m: Machine) -> None:
    m.stack[-1] = m.persist(m.stack[-1])


@opcode(b"\x97")
def next_buffer(m: Machine) -> None:
    m.stack.append(m.call(Global("pickle", "next out-of-band buffer", m.position), ()))


@opcode(b"\x98")
def readonly_buffer(m: Machine) -> None:
    m.stack.append(m.stack.pop())  # the item must be there; being read-only changes nothing in a description
