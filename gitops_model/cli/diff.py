"""`diff`: what changed in the models between two states, or between two files."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "say what changed in the models, and which version bump that asks for"
DESCRIPTION = f"""{SUMMARY}

  diff [PATH…]              the index against the work tree
  diff --staged [REV]       HEAD (or REV) against the index
  diff A [PATH…]            a commit against the work tree
  diff A B, diff A..B       two commits
  diff A...B                B against where it left A
  diff FILE FILE            two files; each may be REV:PATH

A file whose name is also a revision, or which is gone, is named after `--`.

Where `record` has written notes on both sides they are believed, and no weight is read;
then it is not measured how much weights changed, unless --statistics asks for it.
--exit-code and --no-notes read everything.

The JSON leaves nothing out: with what `show --format json` says of the old model, a script
has the interface, opset, operations, facts, digests and tensors of the new one."""
EPILOG = """examples:
  gitops-model diff main...HEAD --format markdown
  gitops-model diff v1.0:model.onnx model.onnx
  gitops-model diff --exit-code HEAD~1 -- models/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="REV|FILE", nargs="*", help="revisions, then paths; or two files")
    parser.add_argument(
        "--staged", "--cached", action="store_true", help="compare with the index, as it would be committed"
    )
    parser.add_argument("--no-index", action="store_true", help="take the two arguments for files, whatever they are")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when a model asks for a version bump")
    parser.add_argument("--no-notes", action="store_true", help="read all weights, whatever the notes say of them")
    parser.add_argument(
        "--statistics", action="store_true", help="measure changed weights, even where notes spare reading them"
    )
    add_output(parser, ("text", "json", "markdown", "html"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline.diff import Use, diff
    from gitops_model.render.diff import worst_bump

    compared = diff(
        args.words,
        args.literal,
        context.cwd,
        context.environ,
        staged=args.staged,
        no_index=args.no_index,
        use=Use(notes=not (args.no_notes or args.exit_code), measure=args.statistics),
    )
    emit("diff", compared, args, context)
    return int(args.exit_code and worst_bump(compared) != "none")
