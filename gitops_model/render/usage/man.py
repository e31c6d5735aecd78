"""The manual page, in man(7) macros."""

from collections.abc import Iterator

from gitops_model.render import Look
from gitops_model.render.usage import Argument, Command, leaves, synopsis

EXITS = {
    "0": "clean",
    "1": "findings of the severity that fails, or a file that is no readable model",
    "2": "could not run: arguments, repository, a missing extra, input or output",
    "3": "a bug of gitops-model, with a report to paste",
    "130": "interrupted",
    "141": "the reader of the output went away",
}
ENVIRONMENT = {
    "NO_COLOR": "when set, text has no colours",
    "GIT_DIR, GIT_INDEX_FILE, GIT_WORK_TREE": "are respected as git does, so that hooks see what git commits",
}
FILES = {
    "model.yaml, *.model.yaml": "manifests of models",
    ".gitops-model.toml": "configuration, at the top of the repository; or [tool.gitops-model] in pyproject.toml",
    "refs/notes/gitops-model": "recorded digests, on the blobs of models",
}


def render(program: Command, _look: Look) -> str:
    return "".join(f"{line}\n" for line in _page(program))


def _page(program: Command) -> Iterator[str]:
    yield '.\\" Written by docs/generate.py; do not edit.'
    yield f'.TH {program.name.upper()} 1 "" "{program.name}" "{program.name} manual"'
    yield ".SH NAME"
    yield f"{_text(program.name)} \\- {_text(program.summary)}"
    yield ".SH SYNOPSIS"
    yield f"\\fB{_text(program.name)}\\fR \\fIVERB\\fR [\\fIARGUMENT\\fR...]"
    yield ".br"
    yield "\\fBgit model\\fR \\fIVERB\\fR [\\fIARGUMENT\\fR...]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(program.description)
    yield ".SH VERBS"
    for name, command in leaves(program):
        yield f".SS {_text(name)}"
        yield f"\\fB{_text(synopsis(f'{program.name} {name}', command))}\\fR"
        yield ".PP"
        yield from _paragraphs(command.description or command.summary)
        for argument in command.arguments:
            yield from _argument(argument)
        if command.epilog:
            yield ".PP"
            yield from _paragraphs(command.epilog)
    for title, entries in (("EXIT STATUS", EXITS), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {title}"
        for name, meaning in entries.items():
            yield ".TP"
            yield f"\\fB{_text(name)}\\fR"
            yield _text(meaning)
    yield ".SH SEE ALSO"
    yield "\\fBgit\\fR(1), \\fBgitattributes\\fR(5), \\fBgithooks\\fR(5), \\fBgit-notes\\fR(1)"


def _argument(argument: Argument) -> Iterator[str]:
    yield ".TP"
    names = ", ".join(f"\\fB{_text(flag)}\\fR" for flag in argument.flags)
    yield f"{names} \\fI{_text(argument.value)}\\fR".strip() if argument.value else names
    yield _text(argument.help)


def _paragraphs(text: str) -> Iterator[str]:
    """Running text flows; indented lines stay as they are."""
    indented = False
    for line in text.splitlines():
        if line.startswith(" ") != indented:
            indented = not indented
            yield ".nf" if indented else ".fi"
        yield _text(line) if line.strip() else ".PP"
    if indented:
        yield ".fi"


def _text(text: str) -> str:
    """Text without meaning for troff; a line may not begin with its control characters."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
