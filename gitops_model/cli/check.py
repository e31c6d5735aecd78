"""`check`: are manifests and models right?"""

import argparse

from gitops_model.cli.arguments import add_fail_on, add_output, add_rules, add_subjects, joined, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "find what is wrong with manifests and model files"
DESCRIPTION = f"""{SUMMARY}

Without paths: every manifest and model of the work tree. A model file that is named is checked
by itself, with or without a manifest or a repository. With --staged: what the next commit
concerns, manifests included that list a file which the commit changes or deletes."""
EPILOG = """examples:
  gitops-model check
  gitops-model check --staged --fail-on warning
  gitops-model check downloaded.onnx
  gitops-model check --rev main --format sarif --output models.sarif"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subjects(parser)
    add_rules(parser)
    add_fail_on(parser)
    add_output(parser, ("text", "json", "markdown", "sarif", "github"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code
    from gitops_model.pipeline.check import check

    paths = paths_of(args)
    if args.all and paths:
        raise CouldNotRun("--all checks everything: name no paths with it")
    report = check(
        context.cwd,
        context.environ,
        paths=paths,
        staged=args.staged,
        rev=args.rev,
        select=joined(args.select),
        ignore=joined(args.ignore),
        progress=context.counter("reading"),
    )
    emit("report", report, args, context)
    return exit_code(report, args.fail_on)
