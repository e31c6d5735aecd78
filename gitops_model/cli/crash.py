"""A bug of ours (exit 3): a report that can be pasted into an issue, without names of files or their contents."""

import platform
import sys
import traceback

from gitops_model import __version__
from gitops_model.cli.context import Context


def report_bug(error: Exception, verb: str, context: Context) -> None:
    """Write the report to stderr. Only the verb is quoted from the arguments; frames give module and line."""
    lines = [
        "This is a bug in gitops-model. Please report it with the text below:",
        "",
        f"- gitops-model {__version__}, Python {platform.python_version()}, {sys.platform} {platform.machine()}",
        f"- verb: {verb}",
        f"- error: {type(error).__name__}: {error}",
    ]
    for frame in traceback.extract_tb(error.__traceback__):
        module = frame.filename.replace("\\", "/").rpartition("/gitops_model/")[2]
        lines.append(f"    {module}:{frame.lineno} in {frame.name}")
    context.say("\n".join(lines))
