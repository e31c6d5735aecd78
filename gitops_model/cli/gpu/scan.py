"""`gpu scan`: what a release needs, found in its files."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.cli.gpu.release import add_release, wanted_of
from gitops_model.errors import CouldNotRun

SUMMARY = "find out what a release needs of a GPU machine, as requirements for gpu check"
DESCRIPTION = f"""{SUMMARY}

Device code (per container: machine code and PTX), libraries and versioned symbols, ONNX opset, IR
and operators, memory, packages, and an image's config. Nothing is run, no layer read unless asked."""
EPILOG = """examples:
  gitops-model gpu scan models/resnet/model.yaml > requirements.yaml
  gitops-model gpu scan model.onnx --packages requirements.txt --batch 8
  gitops-model gpu scan --image nvcr.io/nvidia/tritonserver:24.05-py3

A registry is asked with GITOPS_MODEL_REGISTRY_USER and GITOPS_MODEL_REGISTRY_PASSWORD, where they are set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_release(parser)
    add_output(parser, ("yaml", "json"), default="yaml")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline.gpu.scan import scan

    wanted = wanted_of(args)
    if not wanted.words and wanted.image is None and wanted.packages is None:
        raise CouldNotRun("gpu scan needs something to look into", hint="gitops-model gpu scan --help")
    found = scan(wanted, context.cwd, context.environ)
    emit("gpu.document", found.requirements, args, context)
    for note in found.notes:
        context.say(f"warning: {note.path + ': ' if note.path else ''}{note.problem.message}", hint=note.problem.hint)
    return 0
