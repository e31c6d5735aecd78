"""The pages of the rules, and the list of them."""

from gitops_model import checks
from gitops_model.errors import CouldNotRun


def overview() -> str:
    """One line per rule."""
    rules = [checks.rule_of(code) for code in checks.CHECKS]
    width = max((len(rule.name) for rule in rules), default=0)
    lines = [f"{rule.code}  {rule.severity.label:<7}  {rule.name:<{width}}  {rule.summary}\n" for rule in rules]
    return "".join(sorted(lines))


def page(word: str) -> str:
    """The page of a rule, named by code or by name; the nearest ones are named where there is none."""
    wanted = word.strip().upper()
    if wanted in checks.CHECKS:
        return _page(wanted)
    names = {checks.rule_of(code).name: code for code in checks.CHECKS}
    if word.lower() in names:
        return _page(names[word.lower()])
    from difflib import get_close_matches

    close = get_close_matches(wanted, checks.CHECKS, 3) or [names[n] for n in get_close_matches(word.lower(), names, 3)]
    raise CouldNotRun(
        f"there is no rule {word!r}" + (f"; near to it: {', '.join(close)}" if close else ""),
        hint=f"gitops-model explain {close[0]}" if close else "gitops-model explain",
    )


def _page(code: str) -> str:
    rule = checks.rule_of(code)
    return f"{code} {rule.name} ({rule.severity.label})\n{rule.summary}\n\n{checks.page_of(code)}\n"
