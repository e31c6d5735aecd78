"""Completion for zsh, by its own _arguments."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.usage import Argument, Command


def render(program: Command, _look: Look) -> str:
    lines = ["#compdef gitops-model git-model", "# Written by docs/generate.py; do not edit.", ""]
    lines += _function("_gitops-model", program)
    lines += ['_gitops-model "$@"', ""]
    return "\n".join(lines)


def _function(name: str, command: Command) -> Iterator[str]:
    """A function that completes a command, and those of its verbs before it."""
    for inner in command.commands:
        yield from _function(f"{name}-{inner.name}", inner)
    yield f"{name}() {{"
    if command.commands:
        yield "  local context state state_descr line"
        yield "  typeset -A opt_args"
        specs = [*_options(command), "'1: :->verb'", "'*:: :->rest'"]
        yield f"  _arguments -C {' '.join(specs)}"
        yield "  case $state in"
        yield "    verb)"
        yield "      local -a verbs=("
        yield from (f"        {_quoted(_plain(inner.name) + ':' + inner.summary)}" for inner in command.commands)
        yield "      )"
        yield "      _describe verb verbs ;;"
        yield "    rest)"
        yield "      case $line[1] in"
        yield from (f"        {inner.name}) {name}-{inner.name} ;;" for inner in command.commands)
        yield "      esac ;;"
        yield "  esac"
    else:
        yield f"  _arguments {' '.join([*_options(command), _rest(command)])}".rstrip()
    yield "}"
    yield ""


def _options(command: Command) -> Iterator[str]:
    for argument in command.options:
        for flag in argument.flags:
            often = "*" if argument.repeats else ""
            value = f":{_plain(argument.value)}:{_values(argument)}" if argument.value else ""
            yield _quoted(f"{often}{flag}[{_plain(argument.help)}]{value}")


def _rest(command: Command) -> str:
    return _quoted("*:file:_files") if command.positionals else ""


def _values(argument: Argument) -> str:
    if argument.choices:
        return f"({' '.join(argument.choices)})"
    return "_files" if argument.value == "FILE" else " "


def _plain(text: str) -> str:
    """Text in a place where brackets and colons have a meaning."""
    for letter in "\\[]:":
        text = text.replace(letter, f"\\{letter}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
