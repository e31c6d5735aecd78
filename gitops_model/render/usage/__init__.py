"""The command line as data (`Command`): for manual pages, shell completions and docs/cli.md."""

from typing import NamedTuple


class Argument(NamedTuple):
    """An option (with `flags`) or a positional argument (without). `value` names its value, "" if it has none."""

    flags: tuple[str, ...]
    value: str
    help: str
    choices: tuple[str, ...] = ()
    repeats: bool = False
    optional: bool = True


class Command(NamedTuple):
    """The program, a verb, or a verb of a verb."""

    name: str
    summary: str
    description: str = ""
    epilog: str = ""
    arguments: tuple[Argument, ...] = ()
    commands: "tuple[Command, ...]" = ()

    @property
    def options(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if argument.flags)

    @property
    def positionals(self) -> tuple[Argument, ...]:
        return tuple(argument for argument in self.arguments if not argument.flags)


def synopsis(path: str, command: Command) -> str:
    """`gitops-model show [options] [REV:]PATH`."""
    words = [path]
    if command.commands:
        return f"{path} {'|'.join(inner.name for inner in command.commands)} ..."
    if command.options:
        words.append("[options]")
    for argument in command.positionals:
        name = argument.value if not argument.optional or argument.value.startswith("[") else f"[{argument.value}]"
        words.append(f"{name}..." if argument.repeats else name)
    return " ".join(words)


def leaves(command: Command, path: str = "") -> list[tuple[str, Command]]:
    """Every verb with its full name, in order; a verb of verbs comes before its own."""
    found: list[tuple[str, Command]] = []
    for inner in command.commands:
        name = f"{path} {inner.name}".strip()
        found.append((name, inner))
        found += leaves(inner, name)
    return found
