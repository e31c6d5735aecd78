"""The pickle opcodes that build containers, and those at which a real unpickler would import or call something."""

from typing import cast

from gitops_model.readers.pickling.machine import Call, Global, Machine, Pairs, Thing
from gitops_model.readers.pickling.opcodes import OPCODES, opcode

__all__ = ["OPCODES"]  # complete once this module has added its half


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
