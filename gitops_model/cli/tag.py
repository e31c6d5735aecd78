"""`tag`: name a release, for ever."""

import argparse

from gitops_model.cli.arguments import add_output, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "tag a release of a model, verify such a tag, or list them"
DESCRIPTION = f"""{SUMMARY}

gitops-model tag NAME 1.2.0-rc.1 makes the annotated tag model/NAME/v1.2.0-rc.1 on HEAD. Its
message ends in trailers that say which files it is for. It refuses a dirty tree, a version that
is not newer than those that are tagged, a tag that is there on another commit, and a manifest
with errors; a release X.Y.Z must have the files of its last candidate. Nothing is pushed."""
EPILOG = """examples:
  gitops-model tag resnet 1.2.0-rc.1
  git push origin refs/tags/model/resnet/v1.2.0-rc.1
  gitops-model tag --list resnet
  gitops-model tag --verify model/resnet/v1.2.0-rc.1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", metavar="NAME VERSION", nargs="*", help="the model, and X.Y.Z or X.Y.Z-rc.N")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--list", action="store_true", help="list the release tags, those of other schemes too")
    which.add_argument("--verify", metavar="TAG", help="say whether a tag is what its message says")
    parser.add_argument("--rev", metavar="REV", default="HEAD", help="the commit to tag (default: HEAD)")
    parser.add_argument("--message", metavar="TEXT", default="", help="words for the tag's message")
    parser.add_argument(
        "--maintenance",
        action="store_true",
        help="a fix of an older line: newer releases of other lines that are not in its history do not count",
    )
    parser.add_argument("--dry-run", action="store_true", help="make no tag")
    parser.add_argument("--commit", metavar="ID", help="with --verify: the commit that the tag must be on")
    parser.add_argument("--was", metavar="ID", help="with --verify: what the tag held before it was pushed")
    add_output(parser, ("text", "json", "outputs"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline import tag

    args.paths = args.words
    words = paths_of(args)
    with Repository.open(context.cwd, context.environ) as repository:
        if args.list:
            if len(words) > 1:
                raise CouldNotRun("one model at a time", hint="gitops-model tag --list [NAME]")
            if args.format == "outputs":
                raise CouldNotRun("a list has the formats text and json")
            emit("tags", tag.listed(repository, *words), args, context)
            return 0
        if args.verify is not None:
            outcome = tag.verify(repository, args.verify, commit=args.commit, was=args.was)
        elif len(words) == 2:
            outcome = tag.make(
                repository,
                *words,
                rev=args.rev,
                words=args.message,
                maintenance=args.maintenance,
                dry_run=args.dry_run,
            )
        else:
            raise CouldNotRun("tag takes a model and a version", hint="gitops-model tag NAME 1.2.0-rc.1")
    emit("tag", outcome, args, context)
    if args.format == "outputs" or args.output is not None:
        for finding in outcome.report.findings:
            context.say(f"{finding.severity.label} {finding.code} {finding.name}: {finding.message}", hint=finding.hint)
    return exit_code(outcome.report, "error")
