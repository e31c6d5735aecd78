"""docs/cli.md: every verb with its arguments."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.usage import Argument, Command, leaves, synopsis
from gitops_model.render.usage.man import ENVIRONMENT, EXITS


def render(program: Command, _look: Look) -> str:
    return "\n".join(_page(program)) + "\n"


def _page(program: Command) -> Iterator[str]:
    yield "# The command line"
    yield ""
    yield "<!-- Written by docs/generate.py; do not edit. -->"
    yield ""
    yield program.description
    yield ""
    yield "| verb | |"
    yield "|---|---|"
    for name, command in leaves(program):
        if not command.commands:
            yield f"| [`{name}`](#{name.replace(' ', '-')}) | {_cell(command.summary)} |"
    yield ""
    yield "| exit status | |"
    yield "|---|---|"
    yield from (f"| {code} | {meaning} |" for code, meaning in EXITS.items())
    yield ""
    yield "| environment | |"
    yield "|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items())
    for name, command in leaves(program):
        if command.commands:
            continue
        yield ""
        yield f"## {name}"
        yield ""
        yield "```text"
        yield synopsis(f"{program.name} {name}", command)
        yield ""
        yield command.description or command.summary
        if command.epilog:
            yield ""
            yield command.epilog
        yield "```"
        if command.arguments:
            yield ""
            yield "| argument | |"
            yield "|---|---|"
            yield from (f"| {_names(argument)} | {_cell(argument.help)} |" for argument in command.arguments)


def _names(argument: Argument) -> str:
    names = ", ".join(f"`{flag}`" for flag in argument.flags)
    value = "\\|".join(argument.choices) if argument.choices else argument.value
    return f"{names} `{value}`".strip() if value else names


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
