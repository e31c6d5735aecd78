"""`blame`: who last changed each layer."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "say for each layer of a model which commit last changed its weights"
DESCRIPTION = f"""{SUMMARY}

From the notes that `record` writes, across renames of the file and of tensors: no model is
opened. With LAYER (whole parts of names: encoder.layers.3) its tensors one by one. A commit
marked ^ is the first recorded version; one marked ? comes after versions that are not recorded."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="PATH [LAYER]", nargs="*", help="a model file; a layer or tensor in it")
    parser.add_argument("--rev", metavar="REV", default="HEAD", help="the history to look at (default: HEAD)")
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.blame import blame

    words = [*args.words, *(args.literal or ())]
    if len(words) not in (1, 2):
        raise CouldNotRun("blame is about one model", hint="gitops-model blame --help")
    with Repository.open(context.cwd, context.environ) as repository:
        found = blame(repository, words[0], words[1] if len(words) == 2 else None, args.rev)
    emit("blame", found, args, context)
    return 0
