"""`completion`: the script that completes commands in a shell."""

import argparse

from gitops_model.cli.context import Context

SUMMARY = "print the script that completes commands in bash, zsh or fish"
EPILOG = """examples:
  eval "$(gitops-model completion bash)"
  gitops-model completion zsh > ~/.zfunc/_gitops-model
  gitops-model completion fish > ~/.config/fish/completions/gitops-model.fish"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="the shell")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.describe import describe
    from gitops_model.render import render

    context.stdout.write(render("usage", args.shell, describe()))
    return 0
