"""`explain`: what a finding means and how to mend it."""

import argparse

from gitops_model.cli.context import Context

SUMMARY = "say what a finding's code means and how to mend it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "code", metavar="CODE", nargs="?", help="a code (GM202) or a name (checksum-mismatch); none: all"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.pipeline.explain import overview, page

    context.stdout.write(page(args.code) if args.code else overview())
    return 0
