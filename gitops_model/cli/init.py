"""`init`: a first manifest for a model, or the hooks of a repository."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "set up hooks, diffs and notes in a repository"
DESCRIPTION = f"""{SUMMARY}

  init --hooks         without the pre-commit framework: git's own hooks (a hook that is there goes
                       on running, first), `git diff` for models, and notes with every `git fetch`
  init --uninstall     take all of that away again, and put back what was there"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--hooks", action="store_true", help="set up hooks, diff driver, attributes and notes refspecs")
    what.add_argument("--uninstall", action="store_true", help="undo --hooks")
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline import setup

    if not args.hooks and not args.uninstall:
        raise CouldNotRun("what is to be set up?", hint="gitops-model init --hooks")
    with Repository.open(context.cwd, context.environ) as repository:
        steps = setup.install(repository, context.programs()) if args.hooks else setup.uninstall(repository)
    emit("setup", steps, args, context)
    return 0
