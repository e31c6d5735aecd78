"""`gpu report`: the end of a check on a GPU runner, as a commit status and a check run."""

import argparse

from gitops_model.cli.context import Context

SUMMARY = "in a job: publish a verdict as the commit status gitops-model/gpu and a check run"
DESCRIPTION = f"""{SUMMARY}

The verdict is data from the runner: it is held against the published schema. A tag that is not
believed, and a runner that gave no verdict, are an error; nothing but a verdict is a success."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--commit", metavar="ID", required=True, help="the commit of the tag")
    parser.add_argument("--tag", metavar="TAG", required=True, help="the tag, for the description")
    parser.add_argument("--resolved", metavar="RESULT", required=True, help="how the job ended that verifies the tag")
    parser.add_argument("--result", metavar="RESULT", help="how the check ended (default: it has not begun: pending)")
    parser.add_argument("--verdict", metavar="FILE", help="what gpu check --format json wrote")


def run(args: argparse.Namespace, context: Context) -> int:
    import os

    from gitops_model.pipeline.gpu.report import report, result_of

    outcome = report(
        context.environ,
        args.commit,
        args.tag,
        resolved=result_of(args.resolved) or "",
        result=result_of(args.result),
        verdict=os.path.join(context.cwd, args.verdict) if args.verdict else None,
    )
    context.say(f"{outcome.state}: {outcome.description}")
    return int(outcome.state not in ("success", "pending"))
