"""Arguments that several verbs have in common, so that they mean and read the same everywhere."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitops_model.pipeline.probe import Limits

FAIL_ON = ("note", "warning", "error", "none")


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal. argparse makes one of these for every argument, and imports shutil to ask."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """As shutil.get_terminal_size has it."""
    named = os.environ.get("COLUMNS", "")
    if named.isdecimal() and int(named):
        return int(named)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ is not None else 80
    except (OSError, ValueError):
        return 80


def add_output(parser: argparse.ArgumentParser, formats: Sequence[str], default: str = "text") -> None:
    """--format, --output and --color; `formats` are the renderers that this verb's result has."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        choices=list(formats),
        default=default,
        help=f"how to write the result (default: {default})",
    )
    group.add_argument("--output", metavar="FILE", help="write the result to FILE instead of the standard output")
    group.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="colour the text; auto: on a terminal, unless NO_COLOR is set",
    )


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fail-on",
        choices=list(FAIL_ON),
        help="exit 1 when there is a finding of at least this severity (default: as configured, else error)",
    )


def add_subjects(parser: argparse.ArgumentParser) -> None:
    """Which models: --staged, --rev, --all and PATH…."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--staged", action="store_true", help="what the next commit changes, as it is in the index")
    which.add_argument("--rev", metavar="REV", help="the models of a commit instead of those in the work tree")
    which.add_argument("--all", action="store_true", help="every model, not only those that changed")
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a manifest, a model file or a folder")


def add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--select",
        metavar="CODE",
        action="append",
        type=codes,
        help="only rules whose code begins with CODE (several: repeat, or separate by commas)",
    )
    parser.add_argument(
        "--ignore",
        metavar="CODE",
        action="append",
        type=codes,
        help="no rule whose code begins with CODE",
    )


def add_run(parser: argparse.ArgumentParser, flag: str) -> None:
    """The numeric probe, and its limits."""
    group = parser.add_argument_group("numeric probe")
    group.add_argument(
        flag,
        dest="run",
        action="store_true",
        help="run both versions of a model on the same inputs (needs onnxruntime)",
    )
    group.add_argument(
        "--run-seconds", metavar="N", type=_positive, default=120, help="time for all runs of one model (default: 120)"
    )
    group.add_argument(
        "--run-memory", metavar="MIB", type=_positive, default=8192, help="memory of one model's runs (default: 8192)"
    )


def limits_of(args: argparse.Namespace, environ: Mapping[str, str]) -> "Limits | None":
    """The limits of the probe; None where nobody asked for it."""
    if not args.run:
        return None
    from gitops_model.pipeline.probe import Limits

    return Limits(args.run_seconds, args.run_memory << 20, environ)


def _positive(text: str) -> int:
    number = int(text)
    if not 0 < number < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text} is no such number")
    return number


def codes(text: str) -> list[str]:
    """`GM0,GM601` as a list; a word that no code can begin with is refused."""
    words = [word.strip().upper() for word in text.split(",") if word.strip()]
    for word in words:
        if not (word.startswith("GM") and word[2:].isdigit() and len(word) <= 5) and word != "GM":
            raise argparse.ArgumentTypeError(f"{word!r} is no rule code like GM202, nor the beginning of one")
    return words


def paths_of(args: argparse.Namespace) -> list[str]:
    """The PATH arguments before and after `--`."""
    return [*args.paths, *(args.literal or ())]


def joined(lists: Sequence[Sequence[str]] | None) -> tuple[str, ...]:
    """The values of an option that may be repeated."""
    return tuple(word for words in lists or () for word in words)
