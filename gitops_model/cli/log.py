"""`log`: the versions of a model, with verdicts."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "list every version of a model, and what each changed"
DESCRIPTION = f"""{SUMMARY}

Each version is compared with the one before it, across renames, from the notes that `record`
writes: no model is opened. Where operations changed nothing is proved about the graphs; `diff`
says more of two commits."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", nargs="*", help="a model file, which may be gone")
    parser.add_argument("--rev", metavar="REV", default="HEAD", help="the history to look at (default: HEAD)")
    parser.add_argument("-n", "--max-count", metavar="N", type=int, help="only the newest N versions")
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.log import log

    words = [*args.path, *(args.literal or ())]
    if len(words) != 1:
        raise CouldNotRun("log is about one model", hint="gitops-model log --help")
    with Repository.open(context.cwd, context.environ) as repository:
        found = log(repository, words[0], args.rev, args.max_count)
    emit("log", found, args, context)
    return 0
