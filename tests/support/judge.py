"""A referee in a process of its own: some of what mutants ask of ONNX Runtime ends the process that it runs in."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Self

import numpy as np
import onnx

SEEDS = 3
WIDEST = 1 << 22


def compared(before: bytes, after: bytes) -> bool | None:
    """Whether both give the same, on every input that both can be run on; None where there is none."""
    from support import referee

    one, other = (onnx.ModelProto.FromString(data) for data in (before, after))
    answer: bool | None = None
    for seed in range(SEEDS):
        try:
            given = referee.inputs(one, seed)
        except (ValueError, KeyError, TypeError):
            return answer
        if sum(value.size for value in given.values()) > WIDEST:
            return answer
        for values in (given, *([] if seed else referee.special(given))):
            if values is not given and any(value.dtype == np.float16 for value in given.values()):
                continue  # what is large overflows, here or there
            a, b = referee.run(one, values), referee.run(other, values)
            if (a is None or b is None) and values is given:
                a, b = referee.interpreted(one, values), referee.interpreted(other, values)
            if a is None or b is None:
                continue
            if not referee.same(a, b):
                return False
            answer = True
    return answer


class Judge:
    """Use with `with`. `crashed` counts the pairs that ended the process; nothing is known of them."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.crashed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown()

    def agree(self, before: onnx.ModelProto, after: onnx.ModelProto) -> bool | None:
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            return self.pool.submit(compared, before.SerializeToString(), after.SerializeToString()).result()
        except BrokenProcessPool:
            self.pool.shutdown()
            self.pool = None
            self.crashed += 1
            return None
