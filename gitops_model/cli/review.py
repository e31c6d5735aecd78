"""`review`: what a change does to models, as the comment on its pull request says it."""

import argparse

from gitops_model.cli.arguments import add_fail_on, add_output, add_run, limits_of, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "say what a change does to models, as a comment on its pull request would"
DESCRIPTION = f"""{SUMMARY}

Compared are the commit where --head left --base, and --head. The configuration is read from
--base. Without --publish the result is printed, and nothing is written or sent.

With --run-probe both versions of each changed ONNX model run on the same inputs, in ONNX Runtime
on the CPU, in processes with limits (GM013, GM311), and onnx.checker is asked (GM012).

With --publish, in a job of GitHub Actions: base and head are the event's, the job gets its
summary, annotations and outputs, and the pull request its comment. GITHUB_TOKEN is the token."""
EPILOG = """examples:
  gitops-model review --base main
  gitops-model review --base v1.2.0 --head main --format json
  gitops-model review --base main --format html --output review.html models/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="REV", help="what the change would go into (in a job: the event's)")
    parser.add_argument("--head", metavar="REV", help="the change (default: HEAD; in a job: the event's)")
    parser.add_argument("--lfs-fetch", action="store_true", help="let Git LFS download the models that changed")
    parser.add_argument("--deep", action="store_true", help="ask onnx.checker too, with shape inference (GM012)")
    add_run(parser, "--run-probe")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a file or folder that the review is limited to")
    job = parser.add_argument_group("in a job of GitHub Actions")
    job.add_argument("--publish", action="store_true", help="publish the result where the event of the job belongs")
    job.add_argument(
        "--comment",
        choices=["auto", "always", "never"],
        default="auto",
        help="comment on the pull request (auto: when models change, or there is a comment to update)",
    )
    job.add_argument("--key", metavar="NAME", default="models", help="which comment is ours, where several jobs review")
    job.add_argument("--report-json", metavar="FILE", help="write the report, which is data only")
    job.add_argument("--report-html", metavar="FILE", help="write the report as a page")
    job.add_argument("--sarif-file", metavar="FILE", help="write the findings as SARIF")
    job.add_argument(
        "--from-report",
        metavar="FILE",
        help="publish the report of another run, after a look at its schema, and compare nothing",
    )
    add_fail_on(parser)
    add_output(parser, ("markdown", "json", "html", "sarif", "github"), default="markdown")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.review import Options, review
    from gitops_model.pipeline.selection import from_root

    if args.publish:
        return _publish(args, context)
    if args.from_report is not None:
        raise CouldNotRun("--from-report goes with --publish")
    if args.base is None:
        raise CouldNotRun("compare with what?", hint="gitops-model review --base main")
    with Repository.open(context.cwd, context.environ) as repository:
        paths = tuple(from_root(repository, paths_of(args)))
        options = Options(None, paths, args.lfs_fetch, args.deep or args.run, limits_of(args, context.environ))
        found = review(repository, args.base, args.head or "HEAD", options)
    emit("review", found, args, context)
    return exit_code(found.report, args.fail_on)


def _publish(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import exit_code
    from gitops_model.pipeline.review_publish import Inputs, Job

    inputs = Inputs(
        args.base,
        args.head,
        tuple(paths_of(args)),
        args.comment,
        args.key,
        args.fail_on,
        args.lfs_fetch,
        args.deep or args.run,
        limits_of(args, context.environ),
        args.report_json,
        args.report_html,
        args.sarif_file,
    )
    job = Job(context.environ, inputs, context.stdout.write)
    if args.from_report is not None:
        job.comment_on(args.from_report)
        return 0
    return exit_code(job.review(context.cwd).report, args.fail_on)
