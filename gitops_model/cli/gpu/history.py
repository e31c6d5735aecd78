"""`gpu history`: was this ever checked on an L4?"""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "print the verdicts that were ever given on a model, from its notes"
DESCRIPTION = f"""{SUMMARY}

Exit status 1 when there is none (with --target: none on a machine like it)."""
EPILOG = """examples:
  gitops-model gpu history models/resnet/model.onnx
  gitops-model gpu history v1.2.0:models/resnet/model.onnx --target L4"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="[REV:]PATH|ID", help="a model of the index or of a commit, or the id of a blob"
    )
    parser.add_argument(
        "--target", metavar="NAME", help="only on this target, or on a GPU with these words in its name"
    )
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.gpu.history import history

    with Repository.open(context.cwd, context.environ) as repository:
        found = history(repository, args.what, args.target)
    emit("gpu.history", found, args, context)
    if not found.verdicts:
        on = f" on {args.target}" if args.target else ""
        context.say(f"{args.what} was never checked{on}", hint="gitops-model notes sync, or: gitops-model gpu check")
    return int(not found.verdicts)
