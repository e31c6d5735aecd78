"""The command line: one file per verb and no logic in it.

A verb module has

    SUMMARY: str                                              # the line in --help
    def add_arguments(parser: ArgumentParser) -> None         # every argument has help (tested)
    def run(args: Namespace, context: Context) -> int         # the exit code

This module parses, dispatches, and turns the three kinds of trouble into the exit codes 1, 2 and 3.
"""

import argparse
import os
import sys
from importlib import import_module

from gitops_model import __version__
from gitops_model.cli.context import Context
from gitops_model.errors import BadFile, CouldNotRun

VERBS: dict[str, str] = {}
"""Verb → module under gitops_model.cli, in the order of --help. Only the module of the verb in use is imported."""


def build_parser(argv: list[str]) -> argparse.ArgumentParser:
    """The parser with every verb's name, and the arguments of the verb that `argv` names."""
    parser = argparse.ArgumentParser(prog="gitops-model", description="Review, release and revert models in Git.")
    parser.add_argument(
        "--version",
        action="version",
        version=f"gitops-model {__version__}",
        help="print the version",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    wanted = next((word for word in argv if not word.startswith("-")), None)
    for verb, module_name in VERBS.items():
        if wanted in VERBS and verb != wanted:
            verbs.add_parser(verb, add_help=False)
            continue
        module = import_module(f"gitops_model.cli.{module_name}")
        module.add_arguments(verbs.add_parser(verb, help=module.SUMMARY, description=module.SUMMARY))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the program; returns the exit code (design: 0 clean, 1 findings, 2 could not run, 3 a bug, 130, 141)."""
    words = sys.argv[1:] if argv is None else argv
    context = Context.of_process(os.environ)
    try:
        args = build_parser(words).parse_args(words)
        code = import_module(f"gitops_model.cli.{VERBS[args.verb]}").run(args, context)
        context.flush()
        return code
    except BadFile as error:
        context.say(
            f"error: {error.problem.code} {error.problem.message}",
            hint=error.problem.hint,
        )
        return 1
    except CouldNotRun as error:
        context.say(f"error: {error}", hint=error.hint)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`| head`): say nothing, and keep the interpreter from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes exit 3
        from gitops_model.cli.crash import report_bug

        report_bug(error, words, context)
        return 3
