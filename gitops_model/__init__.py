"""Review, release and roll back models that live in Git."""

import os
import sys

__version__ = "0.1.0"


def leave(code: int) -> int:
    """End the process with a code: taking the interpreter apart costs as much as five git runs.

    Nothing is left to be done then: output is flushed, files are closed or unnamed, and git ends with its pipe. Comes
    back with the code where a stream is gone or closed: the interpreter knows what to say.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return code
    os._exit(code)
