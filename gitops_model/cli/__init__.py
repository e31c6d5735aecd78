"""The command line: one file per verb and no logic in it.

A verb module has

    SUMMARY: str                                              # the line in --help
    def add_arguments(parser: ArgumentParser) -> None         # every argument has help (tested)
    def run(args: Namespace, context: Context) -> int         # the exit code

`args.literal` holds the words after `--` (None when there was none); arguments and options may be mixed.
This module parses, dispatches, and turns the three kinds of trouble into the exit codes 1, 2 and 3.
"""

import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from gitops_model import __version__, leave
from gitops_model.cli.context import Context
from gitops_model.errors import BadFile, CouldNotRun

if TYPE_CHECKING:
    import argparse  # imported on first use: a hook has no arguments to parse, and argparse costs as much as git

VERBS: dict[str, str] = {
    "check": "check",
    "record": "record",
    "verify": "verify",
    "show": "show",
    "diff": "diff",
    "log": "log",
    "blame": "blame",
    "bump": "bump",
    "merge-driver": "merge_driver",
    "review": "review",
    "same": "same",
    "notes": "notes",
    "gpu": "gpu",
    "tag": "tag",
    "explain": "explain",
    "init": "init",
    "doctor": "doctor",
    "completion": "completion",
}
"""Verb → module under gitops_model.cli, in the order of --help. Only the module of the verb in use is imported."""

PROGRAM = "gitops-model"

YOUNG_OBJECTS = 100_000
"""Objects made before the interpreter looks for garbage: some 10 MB."""

EXITS = """\
exit status:
  0  clean            1  findings         2  could not run (arguments, repository, missing extra, I/O)
  3  a bug of ours    130  interrupted    141  the reader of the output went away"""


def verb_parser(verb: str) -> "argparse.ArgumentParser":
    """The parser of one verb, complete."""
    import argparse

    from gitops_model.cli.arguments import Help

    module = import_module(f"gitops_model.cli.{VERBS[verb]}")
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {verb}",
        description=getattr(module, "DESCRIPTION", module.SUMMARY),
        epilog=getattr(module, "EPILOG", None),
        formatter_class=Help,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    return parser


def main_parser() -> "argparse.ArgumentParser":
    """The parser of what stands before the verb."""
    import argparse

    from gitops_model.cli.arguments import Help

    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [-h] [--version] VERB ...",
        description="Review, release and revert models in Git.",
        epilog=EXITS,
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}", help="print the version")
    return parser


def overview() -> str:
    """What `gitops-model --help` prints."""
    lines = [main_parser().format_help().replace(EXITS, "").rstrip(), "", "verbs:"]
    lines += [f"  {verb:<12}{import_module(f'gitops_model.cli.{name}').SUMMARY}" for verb, name in VERBS.items()]
    lines += ["", f"`{PROGRAM} VERB --help` says more.", "", EXITS, ""]
    return "\n".join(lines)


def parse(words: list[str]) -> "argparse.Namespace":
    """The arguments of the verb in `words`; SystemExit 0 after --help or --version, 2 where they make no sense."""
    at = next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))
    if "-h" in words[:at] or "--help" in words[:at]:
        sys.stdout.write(overview())
        raise SystemExit(0)
    if at:  # options before the verb, which few runs have
        main_parser().parse_args(words[:at])
    if at == len(words):
        main_parser().error(f"which verb? one of: {', '.join(VERBS)}")
    verb = words[at]
    if verb not in VERBS:
        raise CouldNotRun(f"there is no verb {verb!r}{_nearest(verb)}", hint=f"{PROGRAM} --help")
    rest = words[at + 1 :]
    dashes = rest.index("--") if "--" in rest else len(rest)
    parser, words = verb_parser(verb), rest[:dashes]
    inner = _inner(parser)
    if words and words[0] in inner:  # argparse cannot mix the arguments of a parser that has parsers
        args = inner[words[0]].parse_intermixed_args(words[1:])
        args.action = words[0]
    elif inner or not any(word.startswith("-") for word in words):  # nothing is mixed
        args = parser.parse_args(words)
    else:
        args = parser.parse_intermixed_args(words)
    args.verb = verb
    args.literal = rest[dashes + 1 :] if dashes < len(rest) else None
    return args


def _inner(parser: "argparse.ArgumentParser") -> "dict[str, argparse.ArgumentParser]":
    """The parsers of the verbs that a verb has."""
    for action in parser._actions:  # noqa: SLF001 # argparse tells it nowhere else
        if "_choices_actions" in vars(action):
            return cast("dict[str, argparse.ArgumentParser]", action.choices)
    return {}


def _nearest(verb: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(verb, VERBS, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def program() -> int:
    """The installed program."""
    return leave(main())


def main(argv: list[str] | None = None) -> int:
    """Run the program; returns the exit code (design: 0 clean, 1 findings, 2 could not run, 3 a bug, 130, 141)."""
    words = sys.argv[1:] if argv is None else argv

    def run(context: Context) -> int:
        args = parse(words)
        return import_module(f"gitops_model.cli.{VERBS[args.verb]}").run(args, context)

    return guarded(run, words[0] if words else "-")


def guarded(run: Callable[[Context], int], what: str) -> int:
    """Do some work in the context of this process, and turn every kind of trouble into its exit code.

    `what` names the work in the report of a bug.
    """
    # NumPy's linear algebra would start a thread for each processor; on products as small as ours they wait, and burn.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A description is a great many small objects that stay: looking among them for cycles is a fifth of reading it.
    gc.set_threshold(YOUNG_OBJECTS)
    context = Context.of_process(os.environ)
    try:
        code = run(context)
        context.flush()
        return code
    except SystemExit as error:  # argparse: after --help, or with its own line about the arguments
        return error.code if isinstance(error.code, int) else 2
    except BadFile as error:
        context.say(f"error: {error.problem.code} {error.problem.message}", hint=error.problem.hint)
        return 1
    except CouldNotRun as error:
        context.say(f"error: {error}", hint=error.hint)
        return 2
    except KeyboardInterrupt:
        context.clear_bars()
        return 130
    except BrokenPipeError:
        # The reader went away (`| head`): say nothing, and keep the interpreter from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        context.say(f"error: {error.filename or 'I/O'}: {error.strerror or error}")
        return 2
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes exit 3
        from gitops_model.cli.crash import report_bug

        report_bug(error, what, context)
        return 3
