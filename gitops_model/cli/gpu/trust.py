"""`gpu trust`: did the files of a change pass the GPU gate?"""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "in a job: say whether the models of a change passed the GPU gate as candidates"
DESCRIPTION = f"""{SUMMARY}

For a merge queue and for final tags: no GPU, nothing of the change is run. Blob ids are computed
from the commits; believed is only the status gitops-model/gpu of its expected source on the
commit of a candidate with exactly these files."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="REV", help="models that are the same there need nothing (default: none is)")
    parser.add_argument("--head", metavar="REV", default="HEAD", help="the change (default: HEAD)")
    parser.add_argument(
        "--source",
        metavar="LOGIN",
        default="github-actions[bot]",
        help="who sets the status (default: github-actions[bot], the token of a job)",
    )
    parser.add_argument("--model", metavar="NAME", help="only this model (default: every model)")
    parser.add_argument("--publish", action="store_true", help="set the status gitops-model/gpu of the head")
    add_output(parser, ("text", "json", "github"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.gpu.trust import trust

    with Repository.open(context.cwd, context.environ) as repository:
        found = trust(
            repository,
            context.environ,
            base=args.base,
            head=args.head,
            model=args.model,
            source=args.source,
            publish=args.publish,
        )
    emit("report", found.report, args, context)
    for name, tag in sorted(found.models.items()):
        context.say(f"{name}: passed as {tag}")
    return int(bool(found.report.findings))
