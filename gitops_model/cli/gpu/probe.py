"""`gpu probe`: this machine as a target."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context

SUMMARY = "write down what this machine has, as a target for gpu check"
DESCRIPTION = f"""{SUMMARY}

Asks NVML, and looks at the CUDA libraries on the loader path, cuda-compat, the compiler and the
switches in the environment. Nothing of CUDA is started. What cannot be found out is left out."""
EPILOG = """examples:
  gitops-model gpu probe > fleet/node.yaml
  gitops-model gpu check model.yaml --target fleet/node.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", help="what the target is called in messages")
    add_output(parser, ("yaml", "json"), default="yaml")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.gpu.probe import probe

    found = probe(context.environ)
    emit("gpu.document", {"name": args.name, **found} if args.name else found, args, context)
    for problem in found.get("problems", ()):
        context.say(f"warning: {problem}")
    return 0
