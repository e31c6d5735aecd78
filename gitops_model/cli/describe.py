"""The command line as data, read off the parsers that run it."""

import argparse
from importlib import import_module
from typing import cast

from gitops_model import cli
from gitops_model.render.usage import Argument, Command

DESCRIPTION = """\
gitops-model makes machine-learning models that live in Git reviewable, releasable and revertible: it checks
manifests and model files, keeps digests of weights in git notes, and shows what changed in a model."""


def describe() -> Command:
    """The whole program."""
    verbs = [_command(verb, cli.verb_parser(verb), _summary(verb)) for verb in cli.VERBS]
    return Command(
        cli.PROGRAM,
        "review, release and revert models in Git",
        DESCRIPTION,
        "",
        _arguments(cli.main_parser()),
        tuple(verbs),
    )


def _summary(verb: str) -> str:
    return import_module(f"gitops_model.cli.{cli.VERBS[verb]}").SUMMARY


def _command(name: str, parser: argparse.ArgumentParser, summary: str) -> Command:
    description = (parser.description or "").removeprefix(summary).strip("\n")
    text = f"{_sentence(summary)}\n\n{description}" if description else _sentence(summary)
    return Command(name, summary, text, parser.epilog or "", _arguments(parser), _verbs(parser))


def _verbs(parser: argparse.ArgumentParser) -> tuple[Command, ...]:
    found: list[Command] = []
    for action in _actions(parser):
        if holds_verbs(action):
            lines = cast("list[argparse.Action]", vars(action)["_choices_actions"])
            helps = {line.dest: line.help or "" for line in lines}
            inner = cast("dict[str, argparse.ArgumentParser]", action.choices)
            found += [_command(name, each, helps.get(name, "")) for name, each in inner.items()]
    return tuple(found)


def _arguments(parser: argparse.ArgumentParser) -> tuple[Argument, ...]:
    return tuple(_argument(action) for action in _actions(parser) if not holds_verbs(action))


def holds_verbs(action: argparse.Action) -> bool:
    """Whether an action is not an argument but the verbs of a verb."""
    return "_choices_actions" in vars(action)


def _argument(action: argparse.Action) -> Argument:
    takes_value = action.nargs != 0
    choices = tuple(map(str, action.choices or ()))
    name = action.metavar if isinstance(action.metavar, str) else "|".join(choices) or action.dest.upper()
    return Argument(
        tuple(sorted(action.option_strings, key=len)),
        name if takes_value else "",
        (action.help or "").replace("%%", "%"),
        choices if takes_value else (),
        repeats=action.nargs in ("*", "+") or type(action).__name__ == "_AppendAction",
        optional=not action.required or action.nargs in ("?", "*"),
    )


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 # argparse tells it nowhere else


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
