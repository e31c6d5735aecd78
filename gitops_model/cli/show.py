"""`show`: what is in a model file."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "describe a model: interface, operations, tensors and their digests"
DESCRIPTION = f"""{SUMMARY}

One fact per line, in an order that does not depend on the file's, so that two descriptions
can be compared line by line. `gitops-model init --hooks` makes `git diff` do so."""
EPILOG = """examples:
  gitops-model show model.onnx
  gitops-model show HEAD~1:models/model.onnx --format json
  gitops-model show --no-digests huge.onnx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="[REV:]PATH", nargs="?", help="a file, or a file of a commit or of the index")
    parser.add_argument("--no-digests", action="store_true", help="read no weights: fast for a model of any size")
    parser.add_argument("--nodes", action="store_true", help="list every operation with its attributes (text)")
    parser.add_argument(
        "--textconv",
        metavar="V",
        help="be git's textconv program in version V of the text: never fail, open no other file",
    )
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline import show

    words = [word for word in (args.target, *(args.literal or ())) if word is not None]
    if args.textconv is not None:
        return _textconv(words, args, context)
    if len(words) != 1:
        raise CouldNotRun("show takes one [REV:]PATH", hint="gitops-model show --help")
    shown = show.show(words[0], context.cwd, context.environ, digests=not args.no_digests, nodes=args.nodes)
    emit("show", shown, args, context)
    return int(show.is_bad(shown))


def _textconv(words: list[str], args: argparse.Namespace, context: Context) -> int:
    """Exit 0 whatever the file is: a textconv that fails ends `git diff` for every file after it."""
    from gitops_model.cli.output import emit
    from gitops_model.errors import BadFile
    from gitops_model.pipeline import show
    from gitops_model.render.inert import one_line

    try:
        emit("show", show.textconv(words[-1] if words else "", context.cwd), args, context)
    except (BadFile, CouldNotRun) as error:
        context.stdout.write(f"not readable as a model: {one_line(show.excuse(error), 1000)}\n")
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - see above; `show` without --textconv reports the bug
        context.stdout.write(f"not readable as a model: internal error {type(error).__name__}\n")
    return 0
