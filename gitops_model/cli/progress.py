"""A one-line progress bar for long work on big files; only made when stderr is a terminal."""

import time
from typing import TextIO

from gitops_model.render.inert import one_line


class Bar:
    """Redraws its line at most ten times a second, and takes it away when the work is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + 0.5  # what is done within half a second needs no bar
        self._drawn = False

    def __call__(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if 0 < total <= done:
            self.clear()
        elif now >= self._next:
            share = f"{done / total:4.0%} " if total else ""
            self._stream.write(f"\r\x1b[K{share}{one_line(label, 60)}")
            self._stream.flush()
            self._drawn = True
            self._next = now + 0.1

    def clear(self) -> None:
        """Take the line away, if there is one."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = False
