"""`check`: are manifests and models right?"""

import argparse
from typing import TYPE_CHECKING

from gitops_model.cli.arguments import add_fail_on, add_output, add_rules, add_subjects, joined, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

if TYPE_CHECKING:
    from gitops_model.finding import Report

SUMMARY = "find what is wrong with manifests and model files"
DESCRIPTION = f"""{SUMMARY}

Without paths: every manifest and model of the work tree. A model file that is named is checked
by itself, with or without a manifest or a repository. With --staged: what the next commit
concerns, manifests included that list a file which the commit changes or deletes."""
EPILOG = """examples:
  gitops-model check
  gitops-model check --staged --fail-on warning
  gitops-model check downloaded.onnx
  gitops-model check --deep model.onnx
  gitops-model check --base origin/main
  gitops-model check --fix models/model.yaml
  gitops-model check --rev main --format sarif --output models.sarif"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_subjects(parser)
    parser.add_argument(
        "--fix", action="store_true", help="write the digests of the files into the manifests, and change nothing else"
    )
    parser.add_argument(
        "--base", metavar="REV", help="versions must have moved since REV as far as the models changed (GM305)"
    )
    parser.add_argument("--deep", action="store_true", help="ask onnx.checker too, with shape inference (GM012)")
    add_rules(parser)
    add_fail_on(parser)
    add_output(parser, ("text", "json", "markdown", "sarif", "github"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit, exit_code

    paths = paths_of(args)
    if args.all and paths:
        raise CouldNotRun("--all checks everything: name no paths with it")
    if args.fix and (args.deep or args.base is not None):
        raise CouldNotRun("--fix writes, --deep and --base check: run one after the other")
    report = (_fix if args.fix else _check)(args, paths, context)
    emit("report", report, args, context)
    return exit_code(report, args.fail_on)


def _check(args: argparse.Namespace, paths: list[str], context: Context) -> "Report":
    from gitops_model.pipeline.check import check

    return check(
        context.cwd,
        context.environ,
        paths=paths,
        staged=args.staged,
        rev=args.rev,
        select=joined(args.select),
        ignore=joined(args.ignore),
        progress=context.counter("reading"),
        deep=args.deep,
        base=args.base,
    )


def _fix(args: argparse.Namespace, paths: list[str], context: Context) -> "Report":
    from gitops_model.pipeline.fix import fix

    if args.staged or args.rev is not None:
        raise CouldNotRun("--fix writes to the work tree: not with --staged or --rev")
    fixed = fix(
        context.cwd,
        context.environ,
        paths=paths,
        select=joined(args.select),
        ignore=joined(args.ignore),
        progress=context.counter("reading"),
    )
    for path in fixed.written:
        context.say(f"fixed {path}")
    return fixed.report
