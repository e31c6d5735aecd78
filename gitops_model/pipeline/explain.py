"""The pages of the rules, of the reasons of GPU verdicts and of those about releases, and the list of all."""

from gitops_model import checks
from gitops_model.errors import CouldNotRun
from gitops_model.finding import Rule
from gitops_model.gpu.reasons import CODES as GPU
from gitops_model.release.reasons import CODES as RELEASE

CODES = {**GPU, **RELEASE}


def overview() -> str:
    """One line per rule."""
    rules = _rules().values()
    width = max((len(rule.name) for rule in rules), default=0)
    lines = [f"{rule.code}  {rule.severity.label:<7}  {rule.name:<{width}}  {rule.summary}\n" for rule in rules]
    return "".join(sorted(lines))


def page(word: str) -> str:
    """The page of a rule, named by code or by name; the nearest ones are named where there is none."""
    wanted = word.strip().upper()
    rules = _rules()
    if wanted in rules:
        return _page(wanted)
    names = {rule.name: code for code, rule in rules.items()}
    if word.lower() in names:
        return _page(names[word.lower()])
    from difflib import get_close_matches

    close = get_close_matches(wanted, rules, 3) or [names[n] for n in get_close_matches(word.lower(), names, 3)]
    raise CouldNotRun(
        f"there is no rule {word!r}" + (f"; near to it: {', '.join(close)}" if close else ""),
        hint=f"gitops-model explain {close[0]}" if close else "gitops-model explain",
    )


def _rules() -> dict[str, Rule]:
    return {code: checks.rule_of(code) for code in checks.CHECKS} | {code: row.rule for code, row in CODES.items()}


def _page(code: str) -> str:
    if code in CODES:
        from textwrap import fill

        rule, text = CODES[code].rule, fill(CODES[code].page, 118, break_on_hyphens=False)
    else:
        rule, text = checks.rule_of(code), checks.page_of(code)
    return f"{code} {rule.name} ({rule.severity.label})\n{rule.summary}\n\n{text}\n"
