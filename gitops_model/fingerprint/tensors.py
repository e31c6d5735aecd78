"""The digest of each tensor, reading every byte once at the speed of the memory.

Tensors that lie one after another in a file share a window, so that 60,000 small ones cost a hash each and no system
call; a thread takes a window at a time. A tensor longer than a window is hashed by all processors at once.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from gitops_model.blob import WINDOW
from gitops_model.errors import BadFile, Problem
from gitops_model.fingerprint.encode import tensor_header
from gitops_model.fingerprint.extent import check_extent
from gitops_model.ir import ELEMENT_BITS, Span, Sparse, Tensor
from gitops_model.readers.bytes import Chunk, TensorBytes
from gitops_model.readers.padding import padding

RUN = WINDOW // 2
"""Bytes of neighbouring tensors that one thread takes at a time."""

ALL_PROCESSORS = -1
"""`blake3.AUTO`: the pool that all hashers share."""

THREADS = 8
"""Threads at most: each holds a window, and memory bandwidth is used up before."""


def tensor_digests(
    tensors: Sequence[Tensor], data: TensorBytes, jobs: int | None = None
) -> tuple[list[bytes], list[Problem]]:
    """The 32-byte digest of each tensor, in order, and what the bytes showed (GM011).

    `jobs` None uses every processor; 1 reads the files in order from one thread.
    """
    check_extent(tensors, data)
    work = _Work(tensors, data)
    if jobs is None or jobs < 1:
        jobs = min(THREADS, os.cpu_count() or 1)
    if jobs == 1:
        mapped, data.mapped = data.mapped, False
        try:
            for run in work.runs():
                work.hash_run(run)
        finally:
            data.mapped = mapped
    else:
        work.hash_all(jobs)
    return work.digests, sorted(work.problems, key=lambda problem: problem.message)


def hash_tensor(tensor: Tensor, data: TensorBytes | None, jobs: int = 1) -> tuple[bytes, Problem | None]:
    """The digest of one tensor by itself, and what its bytes showed; without `data` only that of an inline one."""
    from blake3 import blake3

    sparse = isinstance(tensor.data, Sparse)
    hasher = blake3(tensor_header(tensor.dtype, tensor.shape, "sparse" if sparse else "tensor"), max_threads=jobs)
    size = 0
    last = 0
    for chunk in _canonical(tensor, data):
        hasher.update(chunk)
        size += len(chunk)
        last = chunk[-1] if chunk else last
    if size != tensor.nbytes and not sparse:
        raise BadFile(wrong_size(tensor, size))
    return hasher.digest(), None if sparse else padding(tensor.name, tensor.dtype, tensor.shape, last)


def _canonical(tensor: Tensor, data: TensorBytes | None) -> Iterable[Chunk]:
    locator = tensor.data
    if data is None:
        return [getattr(locator, "value", b"")]
    if isinstance(locator, Sparse):
        from gitops_model.fingerprint.sparse import sparse_parts

        return sparse_parts(tensor, locator, data)
    return data.chunks(locator)


def wrong_size(tensor: Tensor, size: int) -> Problem:
    return Problem(
        "GM007",
        f"tensor {tensor.name!r} has the wrong number of bytes",
        expected=f"{tensor.nbytes} bytes",
        found=f"{size} bytes",
    )


class _Run(NamedTuple):
    """Tensors (by index) that lie in `length` bytes at `offset` of a file; one that is no plain span has no length."""

    offset: int
    length: int
    file: str
    members: list[int]


class _Work:
    """Hashes of all tensors: made by runs, in any order, from any thread."""

    def __init__(self, tensors: Sequence[Tensor], data: TensorBytes) -> None:
        from blake3 import blake3

        self._new: Callable[[bytes], blake3] = blake3
        self.tensors = tensors
        self.data = data
        self.digests: list[bytes] = [b""] * len(tensors)
        self.problems: list[Problem] = []

    def runs(self) -> Iterator[_Run]:
        """Plain tensors in the order of their bytes, grouped; then every other tensor by itself."""
        plain: list[tuple[str, int, int, int]] = []
        others: list[int] = []
        for index, tensor in enumerate(self.tensors):
            span = tensor.data
            if isinstance(span, Span):
                if span.length != tensor.nbytes:
                    raise BadFile(wrong_size(tensor, span.length))
                plain.append((span.file, span.offset, span.length, index))
            else:
                others.append(index)
        plain.sort()
        members: list[int] = []
        start = stop = 0
        place = ""
        for file, offset, length, index in plain:
            if members and (file != place or offset + length - start > RUN):
                yield _Run(start, stop - start, place, members)
                members = []
            if not members:
                start, stop, place = offset, offset, file
            members.append(index)
            stop = max(stop, offset + length)
        if members:
            yield _Run(start, stop - start, place, members)
        for index in others:
            yield _Run(0, 0, "", [index])

    def hash_all(self, jobs: int) -> None:
        """Tensors of more than a window one after another on all processors, the other runs side by side."""
        small: list[_Run] = []
        shared = jobs if jobs < (os.cpu_count() or 1) else ALL_PROCESSORS
        for run in self.runs():
            if run.length > WINDOW:
                for index in run.members:
                    self._hash_alone(index, shared)
            else:
                small.append(run)
        _side_by_side(self.hash_run, small, jobs)

    def hash_run(self, run: _Run) -> None:
        if not run.length or run.length > WINDOW:
            for index in run.members:
                self._hash_alone(index)
        else:
            for chunk in self.data.chunks(Span(run.offset, run.length, run.file), WINDOW):
                self._hash_members(run, memoryview(chunk))

    def _hash_members(self, run: _Run, view: memoryview) -> None:
        new = self._new
        for index in run.members:
            name, dtype, shape, span, length, _ = self.tensors[index]
            assert isinstance(span, Span)
            begin = span.offset - run.offset
            hasher = new(tensor_header(dtype, shape))
            with view[begin : begin + length] as part:
                hasher.update(part)
                if length and ELEMENT_BITS.get(dtype, 8) < 8 and (found := padding(name, dtype, shape, part[-1])):
                    self.problems.append(found)
            self.digests[index] = hasher.digest()

    def _hash_alone(self, index: int, jobs: int = 1) -> None:
        self.digests[index], problem = hash_tensor(self.tensors[index], self.data, jobs)
        if problem is not None:
            self.problems.append(problem)


def _side_by_side(task: Callable[[_Run], None], runs: Sequence[_Run], jobs: int) -> None:
    """Run a task on every run from `jobs` threads; the first failure, in the order of the runs, is raised."""
    queue = deque(enumerate(runs))
    failures: list[tuple[int, BaseException]] = []

    def worker() -> None:
        while queue and not failures:
            try:
                number, run = queue.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                task(run)
            except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
                failures.append((number, error))

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(jobs, len(runs)) - 1)]
    for thread in threads:
        thread.start()
    worker()
    for thread in threads:
        thread.join()
    if failures:
        raise min(failures, key=lambda failure: failure[0])[1]
