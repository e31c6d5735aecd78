"""One file per rule; the module's docstring is the rule's page. Checks are pure: facts in, findings out.

Each module has `RULE: Rule` and `check(facts: Facts) -> Iterator[Finding]`. This table names them without importing
them; `rule_of("GM201")` and `run(facts, select, ignore)` import what they need.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from gitops_model.errors import Problem
from gitops_model.finding import Finding, Rule, Severity

if TYPE_CHECKING:
    from gitops_model.checks.facts import Facts

CHECKS: dict[str, str] = {
    "GM001": "truncated",
    "GM002": "malformed",
    "GM003": "pointer",
    "GM004": "foreign",
    "GM005": "limits",
    "GM006": "duplicate_tensor",
    "GM007": "data_conflict",
    "GM008": "not_regular",
    "GM009": "unsupported",
    "GM010": "external_missing",
    "GM011": "padding",
    "GM012": "deep_check",
    "GM013": "does_not_run",
    "GM101": "yaml_syntax",
    "GM102": "duplicate_key",
    "GM103": "unknown_key",
    "GM104": "missing_field",
    "GM105": "bad_version",
    "GM106": "bad_architecture",
    "GM107": "bad_dtype",
    "GM108": "bad_shape",
    "GM109": "bad_checksum",
    "GM110": "path_escapes",
    "GM111": "file_absent",
    "GM112": "unlisted_model",
    "GM113": "yaml_limit",
    "GM114": "wrong_type",
    "GM115": "yaml_refused",
    "GM116": "path_through_symlink",
    "GM117": "bad_value",
    "GM190": "unused_ignore",
    "GM201": "checksum_mismatch",
    "GM202": "note_mismatch",
    "GM203": "not_recorded",
    "GM301": "signature_names",
    "GM302": "signature_dtype",
    "GM303": "signature_shape",
    "GM304": "symbol_conflict",
    "GM305": "version_bump",
    "GM306": "signature_undeclared",
    "GM310": "weights_out_of_step",
    "GM311": "outputs_differ",
    "GM601": "external_escapes",
    "GM602": "external_special",
    "GM603": "pickle_calls",
    "GM604": "stray_pickle",
    "GM605": "executable_layer",
    "GM606": "zip_tricks",
    "GM607": "template_code",
    "GM608": "outside_lfs",
}
"""Code → module under gitops_model.checks, in the order in which findings are reported."""


def _signatures(facts: "Facts") -> bool:
    return any(file.model is not None and file.model.inputs is not None for file in facts.files)


JUDGING: "dict[str, Callable[[Facts], object]]" = {
    "GM111": lambda facts: facts.absent,
    "GM112": lambda facts: facts.unlisted or any(file.model and file.model.deps for file in facts.files),
    "GM116": lambda facts: facts.linked,
    "GM190": lambda facts: facts.unneeded,
    "GM201": lambda facts: any(file.digests for file in facts.files),
    "GM202": lambda facts: any(file.recorded for file in facts.files),
    "GM203": lambda facts: any(file.recorded == () for file in facts.files),
    "GM301": _signatures,
    "GM302": _signatures,
    "GM303": _signatures,
    "GM304": _signatures,
    "GM305": lambda facts: facts.version,
    "GM306": _signatures,
    "GM310": lambda facts: facts.out_of_step,
    "GM608": lambda facts: any((file.size or 0) > (file.largest_outside_lfs or 0) for file in facts.files),
}
"""Rules that compare facts, each with what there must be to compare: a hook does not import a rule that cannot speak.

The other rules report the problems of their code that a reader or the loader found.
"""


def module_of(code: str) -> ModuleType:
    return import_module(f"gitops_model.checks.{CHECKS[code]}")


def rule_of(code: str) -> Rule:
    return module_of(code).RULE


def page_of(code: str) -> str:
    """The text that `explain` prints: the docstring of the rule's module."""
    return (module_of(code).__doc__ or "").strip()


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Whether a code is meant by one of the prefixes (`GM0`, `GM601`)."""
    return any(code.startswith(prefix) for prefix in prefixes)


def run(facts: "Facts", select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Iterator[Finding]:
    """The findings of every selected rule on one subject's facts.

    A rule that has nothing to look at is not even imported.
    """
    present = {problem.code for problem in facts.problems}
    present.update(problem.code for file in facts.files for problem in file.problems)
    for code in CHECKS:
        wanted = (not select or matches(code, select)) and not matches(code, ignore)
        if wanted and (code in present or (code in JUDGING and JUDGING[code](facts))):
            yield from module_of(code).check(facts)
    for code in present - CHECKS.keys():
        raise LookupError(f"a problem has the code {code}, which no rule has")


def finding(rule: Rule, path: str, problem: Problem, severity: Severity | None = None) -> Finding:
    """A finding of `rule` that says what `problem` says."""
    return Finding(
        rule.code,
        rule.name,
        severity or rule.severity,
        path,
        problem.message,
        problem.line,
        problem.column,
        problem.expected,
        problem.found,
        problem.hint or f"gitops-model explain {rule.code}",
    )


def command(*words: str) -> str:
    """A command line that can be pasted into a shell, whatever the paths in it."""
    return " ".join(word if re.fullmatch(_SAFE, word) else "'" + word.replace("'", "'\\''") + "'" for word in words)


_SAFE = r"(?a)[\w@%+=:,./-]+"
