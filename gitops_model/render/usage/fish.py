"""Completion for fish."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.usage import Argument, Command, leaves


def render(program: Command, _look: Look) -> str:
    lines = ["# Written by docs/generate.py; do not edit.", ""]
    for name in ("gitops-model", "git-model"):
        lines += _lines(name, program)
    return "\n".join([*lines, ""])


def _lines(name: str, program: Command) -> Iterator[str]:
    for inner in program.commands:
        yield f"complete -c {name} -f -n __fish_use_subcommand -a {inner.name} -d {_quoted(inner.summary)}"
    for argument in program.options:
        yield f"complete -c {name} -n __fish_use_subcommand{_option(argument)}"
    for path, command in leaves(program):
        verb, _, inner_verb = path.partition(" ")
        within = f"__fish_seen_subcommand_from {verb}"
        if inner_verb:
            within += f"; and __fish_seen_subcommand_from {inner_verb}"
        for inner in command.commands:
            names = " ".join(each.name for each in command.commands)
            outside = f"{within}; and not __fish_seen_subcommand_from {names}"
            yield f"complete -c {name} -f -n {_quoted(outside)} -a {inner.name} -d {_quoted(inner.summary)}"
        for argument in command.options:
            yield f"complete -c {name} -n {_quoted(within)}{_option(argument)}"


def _option(argument: Argument) -> str:
    words = ""
    for flag in argument.flags:
        words += f" -l {flag[2:]}" if flag.startswith("--") else f" -s {flag[1:]}"
    if argument.choices:
        words += f" -x -a {_quoted(' '.join(argument.choices))}"
    elif argument.value == "FILE":
        words += " -r -F"
    elif argument.value:
        words += " -x"
    return f"{words} -d {_quoted(argument.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
