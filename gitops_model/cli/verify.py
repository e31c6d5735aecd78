"""`verify`: compute the digests of models again and compare them with the notes."""

import argparse

from gitops_model.cli.arguments import add_fail_on, add_output, paths_of
from gitops_model.cli.context import Context

SUMMARY = "compute digests again and compare them with the notes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--staged", action="store_true", help="only the models that the next commit adds or changes")
    which.add_argument("--rev", metavar="REV", help="the models of a commit instead of those in the index")
    parser.add_argument(
        "--jobs", metavar="N", type=int, help="threads (default: one per processor; 1 for spinning disks)"
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a model file or a folder")
    add_fail_on(parser)
    add_output(parser, ["text", "json", "markdown", "sarif", "github"])


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.verify import verify

    with Repository.open(context.cwd, context.environ) as repository:
        report = verify(repository, staged=args.staged, revision=args.rev, paths=paths_of(args), jobs=args.jobs)
    emit("report", report, args, context)
    return exit_code(report, args.fail_on)
