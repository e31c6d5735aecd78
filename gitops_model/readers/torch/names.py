"""Which tensors a checkpoint holds, and what they are called: nested keys joined by `.` (docs/format.md).

The walk is iterative and bounded: containers may be shared or hold themselves.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Tensor
from gitops_model.readers.pickling.arrays import BUFFER, RECONSTRUCT, array_of_call
from gitops_model.readers.pickling.machine import Bytes, Call, Pairs, Persistent, Thing, sequence
from gitops_model.readers.torch.objects import REBUILDERS, WRAPPERS, TorchObjects

WRAPPER_KEYS = ("state_dict", "model", "model_state_dict")
"""One of these at the top is stripped when it alone holds tensors (training state aside); `module.` never is."""

OPTIMIZER_KEYS = frozenset(
    (
        *("optimizer", "optimizers", "optimizer_state_dict", "optimizer_states", "optimizer_state", "optim", "opt"),
        *("optim_state_dict", "lr_scheduler", "lr_schedulers", "scheduler", "scheduler_state_dict"),
        *("scaler", "grad_scaler", "amp_scaler"),
    )
)
"""Top-level keys under which trainers keep what only training needs."""

LIMIT_DEPTH = 256
LIMIT_ITEMS = 4_000_000

FREE_NAMES = 20_000
NAMES_PER_OBJECT = 8
"""Steps of the walk: a real file ties a few tensors; a bomb gives one object a million names."""

LEAVES = (str, int, float, bytes, Bytes)

DICTS = frozenset(("collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict"))
SEQUENCES = frozenset(
    ("builtins.list", "builtins.set", "builtins.tuple", "__builtin__.set", "__builtin__.list", "collections.deque")
)


ARRAYS = RECONSTRUCT | BUFFER


class Item(NamedTuple):
    path: tuple[str, ...]
    thing: Thing


def children(thing: Thing) -> Iterator[tuple[str | None, Thing]]:
    """The named parts of a described object; a None name adds no component (a module's own parameters)."""
    if isinstance(thing, Pairs):
        yield from (item for item in last_of_each(thing.pairs))
    elif (members := sequence(thing)) is not None:
        yield from ((str(index), item) for index, item in enumerate(members))
    elif isinstance(thing, Call):
        if thing.items:
            yield from last_of_each(thing.items)
        if thing.members:
            yield from ((str(index), item) for index, item in enumerate(thing.members))
        for index, argument in enumerate(thing.arguments):
            if thing.path in DICTS or thing.path in SEQUENCES:
                yield from from_argument(argument)
            else:  # an object of a class that is not known here: what it was made of is still shown
                yield f"#{index}", argument
        state = thing.state
        if (both := sequence(state)) is not None and len(both) == 2:  # (__dict__, slots)
            state = both[0] if isinstance(both[0], Pairs) else both[1]
        if isinstance(state, Pairs):
            for key, value in last_of_each(state.pairs):
                # A pickled nn.Module: its tensors are called as in its state_dict, without these three levels.
                yield (None if key in ("_parameters", "_buffers", "_modules") else key), value


def from_argument(argument: Thing) -> Iterator[tuple[str, Thing]]:
    """`OrderedDict([[key, value], …])` and `set([…])` as protocols 0 and 1 write them."""
    for index, item in enumerate(sequence(argument) or ()):
        pair = sequence(item)
        if pair is not None and len(pair) == 2 and isinstance(pair[0], (str, int)):
            yield str(pair[0]), pair[1]
        else:
            yield str(index), item


def last_of_each(pairs: list[tuple[Thing, Thing]]) -> Iterator[tuple[str, Thing]]:
    """Equal keys: the last value stands, at the place of the first, as in a dict."""
    found: dict[str, Thing] = {}
    for key, value in pairs:
        if isinstance(key, str):
            found[key] = value
        elif isinstance(key, (int, float)) or key is None:
            found[str(key)] = value
        else:
            found[f"#{len(found)}"] = value
    yield from found.items()


def holders(root: Thing) -> set[int]:
    """The ids of the containers below which there is a tensor or an array, each looked at once however it is shared."""
    below: dict[int, list[int]] = {}
    found: list[int] = []
    stack = [root]
    while stack:
        thing = stack.pop()
        key = id(thing)
        if key in below or isinstance(thing, LEAVES) or thing is None:
            continue
        if is_tensor(thing):
            below[key] = []
            found.append(key)
            continue
        inner = [value for _, value in children(thing)]
        below[key] = [id(value) for value in inner]
        if len(below) > LIMIT_ITEMS:
            raise BadFile(Problem("GM005", f"the pickle makes more than {LIMIT_ITEMS} objects"))
        stack.extend(inner)
    above: dict[int, list[int]] = {}
    for key, inner_keys in below.items():
        for inner_key in inner_keys:
            above.setdefault(inner_key, []).append(key)
    holding = set(found)
    while found:
        for key in above.get(found.pop(), ()):
            if key not in holding:
                holding.add(key)
                found.append(key)
    return holding


def is_tensor(thing: Thing) -> bool:
    """Whether a described object may be a tensor or an array: a call of a function that makes one, or a key to one."""
    if isinstance(thing, Persistent):
        return True
    return isinstance(thing, Call) and (thing.path in REBUILDERS or thing.path in WRAPPERS or thing.path in ARRAYS)


def named_tensors(root: Thing, objects: TorchObjects) -> list[Tensor]:
    """Every tensor under `root` in the order of the file. Raises BadFile GM005 for a structure made to be endless.

    The walk goes only where tensors are: shared lists of nothing cost nothing. Tied tensors count under every name, so
    the names are bounded by the number of tensors that the file really describes.
    """
    tensors: list[Tensor] = []
    holding = holders(root)
    most = FREE_NAMES + NAMES_PER_OBJECT * len(holding)
    steps = 0
    stack = [Item((), root)]
    while stack:
        path, thing = stack.pop()
        steps += 1
        if steps > most or len(path) > LIMIT_DEPTH:
            raise BadFile(Problem("GM005", "the pickled object is nested or shared beyond every real checkpoint"))
        parts = objects.tensors(thing) if isinstance(thing, (Call, Persistent)) else None
        if parts is None and isinstance(thing, Call):
            array = array_of_call(thing)
            parts = None if array is None else [array]
        if parts is not None:
            name = ".".join(path)
            tensors.extend(Tensor(name + part.suffix, *part[1:]) for part in parts)
            continue
        below = [
            Item(path if key is None else (*path, key), value) for key, value in children(thing) if id(value) in holding
        ]
        stack.extend(reversed(below))
    return tensors


def group(tensors: list[Tensor]) -> list[Tensor]:
    """Set training state apart and strip the one wrapper that alone holds tensors."""
    marked: list[Tensor] = []
    tops: set[str] = set()
    for tensor in tensors:
        top, _, rest = tensor.name.partition(".")
        if top in OPTIMIZER_KEYS and rest:
            marked.append(tensor._replace(group="optimizer"))
        else:
            marked.append(tensor)
            tops.add(top if rest else "")
    if len(tops) == 1 and (top := next(iter(tops))) in WRAPPER_KEYS:
        return [t if t.group else t._replace(name=t.name[len(top) + 1 :]) for t in marked]
    return marked
