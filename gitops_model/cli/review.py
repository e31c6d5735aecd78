"""`review`: what a change does to models, as the comment on its pull request says it."""

import argparse

from gitops_model.cli.arguments import add_fail_on, add_output, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "say what a change does to models, as a comment on its pull request would"
DESCRIPTION = f"""{SUMMARY}

Compared are the commit where --head left --base, and --head. The configuration is read from
--base. Without --publish the result is printed, and nothing is written or sent."""
EPILOG = """examples:
  gitops-model review --base main
  gitops-model review --base v1.2.0 --head main --format json
  gitops-model review --base main --format html --output review.html models/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="REV", help="what the change would go into (in a job: the event's)")
    parser.add_argument("--head", metavar="REV", help="the change (default: HEAD; in a job: the event's)")
    parser.add_argument("--lfs-fetch", action="store_true", help="let Git LFS download the models that changed")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a file or folder that the review is limited to")
    add_fail_on(parser)
    add_output(parser, ("markdown", "json", "html", "sarif", "github"), default="markdown")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.review import Options, review
    from gitops_model.pipeline.selection import from_root

    if args.base is None:
        raise CouldNotRun("compare with what?", hint="gitops-model review --base main")
    with Repository.open(context.cwd, context.environ) as repository:
        paths = tuple(from_root(repository, paths_of(args)))
        options = Options(None, args.lfs_fetch, paths)
        found = review(repository, args.base, args.head or "HEAD", options)
    emit("review", found, args, context)
    return exit_code(found.report, args.fail_on)
