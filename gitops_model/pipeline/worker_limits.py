"""Limits that a process sets itself before it looks at anything of a stranger's."""

import resource
import signal

LARGEST_FILE = 4 << 30
"""Bytes of one file that it may write."""


def limit(seconds: int, memory: int, *, device: bool = False) -> None:
    """Wall time, and bytes of address space; with a `device` bytes of private data, as CUDA reserves address space that
    it does not use. No core is dumped."""
    space = resource.RLIMIT_DATA if device else resource.RLIMIT_AS
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, LARGEST_FILE), (space, memory)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # a lower limit is in force already, or the system does not know this one
            continue
    signal.alarm(seconds)
