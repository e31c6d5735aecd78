"""`doctor`: what is set up here, and what is not."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "say what is set up in this repository and what is not, with the command that mends it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline.setup.doctor import doctor

    health = doctor(context.cwd, context.environ, context.programs())
    emit("setup", health, args, context)
    return 0 if health.is_well else 1
