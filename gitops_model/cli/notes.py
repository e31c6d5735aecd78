"""`notes show` and `notes sync`: read the notes on a model, exchange them with a remote."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "show the notes on a model, or exchange notes with a remote"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = verbs.add_parser("show", help="print the lines of the note on a model", allow_abbrev=False)
    show.add_argument("what", metavar="[REV:]PATH|ID", help="a model of the index or of a commit, or the id of a blob")
    add_output(show, ["text", "json"])
    sync = verbs.add_parser("sync", help="fetch notes, unite them with ours, push them", allow_abbrev=False)
    sync.add_argument("remotes", metavar="REMOTE", nargs="*", help="a remote (default: origin, or the only one)")
    sync.add_argument("--no-push", action="store_true", help="only fetch and unite")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline import notes

    with Repository.open(context.cwd, context.environ) as repository:
        if args.action == "sync":
            outcomes = notes.sync_all(repository, args.remotes, push=not args.no_push)
            for outcome in outcomes:
                context.say(outcome.warning or f"{outcome.remote}: {outcome.said}")
            return 2 if any(outcome.warning for outcome in outcomes) else 0
        what = args.what if args.what is not None else (args.literal or [""])[0]
        shown = notes.show(repository, what)
    from gitops_model.cli.output import emit

    emit("notes", shown, args, context)
    if not shown.lines:
        context.say(f"{what} has no note", hint="gitops-model record, or: gitops-model notes sync")
    return int(not shown.lines)
