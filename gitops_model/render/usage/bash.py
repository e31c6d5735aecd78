"""Completion for bash (4 and later), also of `git model` under git's own completion."""

from gitops_model.render import Look
from gitops_model.render.usage import Argument, Command, leaves

_SCRIPT = """\
# bash completion of {program}. Written by docs/generate.py; do not edit.

# $1: how many words stand before the verb
_gitops_model_complete() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local word path='' options='' verbs='{verbs}' values=''
    for word in "${{COMP_WORDS[@]:$1:COMP_CWORD-$1}}"; do
        [[ $word == -* ]] && continue
        case "${{path:+$path }}$word" in
{paths}
        esac
    done
    case "$path" in
{options}
    esac
    case "$path $previous" in
{values}
    esac
    if [[ $values == REV ]]; then
        # not by compgen, which would expand what stands in the name of a branch
        COMPREPLY=()
        while IFS= read -r word; do
            [[ $word == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
        done < <(git for-each-ref --format='%(refname:short)' 2>/dev/null)
    elif [[ -n $values ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    elif [[ -n $verbs ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
    else
        COMPREPLY=()
    fi
}}

_gitops_model() {{ _gitops_model_complete 1; }}
_git_model() {{ _gitops_model_complete 2; }}

complete -o bashdefault -o default -F _gitops_model gitops-model git-model
"""


def render(program: Command, _look: Look) -> str:
    verbs = leaves(program)
    paths = [
        f"            {_quoted(name)}) path={_quoted(name)} verbs={_quoted(_names(command))} ;;"
        for name, command in verbs
    ]
    options = [f"        {_quoted(name)}) options={_quoted(_flags(command))} ;;" for name, command in verbs]
    options.append(f"        '') options={_quoted(_flags(program))} ;;")
    values = [
        f"        {_quoted(f'{name} {flag}')}) values={_quoted(wanted)} ;;"
        for name, command in verbs
        for argument in command.options
        if (wanted := wanted_values(argument))
        for flag in argument.flags
    ]
    return _SCRIPT.format(
        program=program.name,
        verbs=_names(program),
        paths="\n".join(paths),
        options="\n".join(options),
        values="\n".join(values),
    )


def wanted_values(argument: Argument) -> str:
    """The words that an option takes; REV for a revision; "" where files, or nothing, should be offered."""
    return " ".join(argument.choices) or ("REV" if argument.value == "REV" else "")


def _names(command: Command) -> str:
    return " ".join(inner.name for inner in command.commands)


def _flags(command: Command) -> str:
    return " ".join(flag for argument in command.options for flag in argument.flags)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
