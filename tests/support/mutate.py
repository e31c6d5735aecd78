"""Damages the files of the format zoo in a repeatable way, and reads what comes out: the engine of the fuzz tests.

    python tests/support/mutate.py NAME SEED COUNT

runs in a process of its own, so that its memory can be measured, and prints one line of JSON: how many inputs gave
which codes, the slowest input, the largest resident set, and the first inputs that ended in anything but a declared
error.
"""

import json
import random
import resource
import struct
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

NUMBERS = (
    *(0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
    *(1 << 40, 1 << 62, (1 << 64) - 1),
)


def flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(data: bytearray, chance: random.Random) -> None:
    number = chance.choice(NUMBERS)
    layout = chance.choice(("<B", "<H", "<I", ">I", "<Q", ">Q"))
    raw = struct.pack(layout, number & ((1 << 8 * struct.calcsize(layout)) - 1))
    at = chance.randrange(len(data))
    data[at : at + len(raw)] = raw


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def remove(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 2, 4, 8, 100))]


def repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    data[at:at] = data[at : at + chance.choice((1, 4, 8, 64, 512))]


def swap(data: bytearray, chance: random.Random) -> None:
    length = chance.choice((4, 8, 32))
    a, b = chance.randrange(len(data)), chance.randrange(len(data))
    data[a : a + length], data[b : b + length] = data[b : b + length], data[a : a + length]


MUTATIONS = (flip, flip, flip, overwrite, overwrite, overwrite, cut, remove, repeat, swap)


def mutated(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if data:
            chance.choice(MUTATIONS)(data, chance)
    return bytes(data)


def read(name: str, data: bytes) -> str:
    """The codes that reading and hashing an input gave, or what it raised."""
    from gitops_model.blob import Blob, NoSource
    from gitops_model.errors import BadFile
    from gitops_model.fingerprint import fingerprint
    from gitops_model.readers import audit, read_model
    from gitops_model.readers.bytes import TensorBytes

    blob = Blob.of_bytes(name, data)
    try:
        model = read_model(blob, NoSource())
        audit(blob)
        with TensorBytes(blob, NoSource()) as source:
            fingerprint(model, source, 1)
    except BadFile as error:
        return error.problem.code
    return "read"


def run(name: str, seed: int, count: int) -> dict[str, object]:
    from support.format_zoo import FILES

    original = FILES[name]()
    chance = random.Random(f"{name} {seed}")
    codes: Counter[str] = Counter()
    failures: list[str] = []
    slowest = 0.0
    for number in range(count):
        data = mutated(original, chance)
        start = time.process_time()  # of this process alone: the machine may be busy with others
        try:
            codes[read(name, data)] += 1
        except Exception:  # noqa: BLE001 - finding these is what this is for
            failures.append(f"{name} seed {seed} input {number}: {traceback.format_exc(limit=-3)}")
            if len(failures) == 5:
                break
        slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"codes": dict(codes), "failures": failures, "slowest": slowest, "peak": peak}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
