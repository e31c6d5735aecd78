"""Writing a result: rendered in the wanted format, to the standard output or to a file that appears whole or not."""

import os
from typing import TYPE_CHECKING

from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun
from gitops_model.render import Look, render

if TYPE_CHECKING:
    import argparse

    from gitops_model.finding import Report


def emit(kind: str, value: object, args: "argparse.Namespace", context: Context) -> None:
    """Render `value`, a result of this `kind` (render.RENDERERS), as --format, --output and --color say."""
    look = Look()
    if args.output is None:
        look = Look(context.colour(args.color), context.width())
    elif args.color == "always":
        look = Look(colour=True)
    context.clear_bars()
    text = render(kind, args.format, value, look)
    if args.output is None:
        context.stdout.write(text)
    else:
        write_file(os.path.join(context.cwd, args.output), text)


def write_file(path: str, text: str) -> None:
    """Replace `path` in one step; a device or a FIFO (`/dev/stderr`) is written to as it is."""
    import tempfile

    try:
        if os.path.lexists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
            return
        target = os.path.realpath(path)
        handle, temporary = tempfile.mkstemp(prefix=".gitops-model-", dir=os.path.dirname(target))
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
            mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o666 & ~_umask()
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CouldNotRun(f"{path}: cannot write: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def exit_code(report: "Report", fail_on: str | None = None) -> int:
    """1 when a finding is at least as severe as --fail-on, or else the configuration, says; else 0."""
    return int(report.fails(fail_on))
