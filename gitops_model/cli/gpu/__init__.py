"""`gpu`: the gate before the GPU. Each of its verbs has a file here, of the shape that verbs have."""

import argparse
from importlib import import_module

from gitops_model.cli.arguments import Help
from gitops_model.cli.context import Context

SUMMARY = "say whether a release will run on GPU machines, before it is deployed"
ACTIONS = ("probe", "scan", "check", "history", "report", "trust")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name in ACTIONS:
        module = import_module(f"gitops_model.cli.gpu.{name}")
        verb = verbs.add_parser(
            name,
            help=module.SUMMARY,
            description=getattr(module, "DESCRIPTION", module.SUMMARY),
            epilog=getattr(module, "EPILOG", None),
            formatter_class=Help,
            allow_abbrev=False,
        )
        module.add_arguments(verb)


def run(args: argparse.Namespace, context: Context) -> int:
    return import_module(f"gitops_model.cli.gpu.{args.action}").run(args, context)
