"""The configuration of a repository: `.gitops-model.toml`, or `[tool.gitops-model]` in pyproject.toml, at its root.

    fail-on = "error"                # note | warning | error | none
    ignore = ["GM112"]               # rules that say nothing anywhere
    targets = ["l4", "fleet/a100.yaml"]

    [severity]
    GM608 = "error"                  # another severity for a rule

    [limits]
    manifest-size = "256 KiB"        # at most 1 MiB
    weights-outside-lfs = "50 MiB"   # GM608; "none" switches it off

    [[paths]]
    match = ["experiments/**"]       # `*` stays within a folder, `**` does not; `folder/` means all below it
    ignore = ["GM306"]
    limits = { weights-outside-lfs = "1 GiB" }

Of several `[[paths]]` that match a file all ignores count, and the last limit and severity. An ignore under `[[paths]]`
that hides nothing in a complete run is a finding (GM190). The text is data: nothing in it is a path that is opened.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Severity
from gitops_model.nearest import nearest

OWN_FILE = ".gitops-model.toml"
PYPROJECT = "pyproject.toml"

DEFAULT_LIMITS: dict[str, int | None] = {"manifest-size": 1 << 20, "weights-outside-lfs": 100_000_000}
"""Bytes. The largest manifest is a bound of the loader; 100 MB is where GitHub refuses a file outside LFS."""

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_TOP = ("fail-on", "ignore", "targets", "severity", "limits", "paths")
_SECTION = ("match", "ignore", "severity", "limits")
FAIL_ON = ("note", "warning", "error", "none")

Table: TypeAlias = dict[str, object]


class Ignore(NamedTuple):
    """One code prefix under one `[[paths]]`; `section` counts from 0."""

    section: int
    code: str
    match: tuple[str, ...]


class Rules(NamedTuple):
    """What one section says: for files that `pattern` matches, or for all where it is None."""

    pattern: "re.Pattern[str] | None" = None
    match: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = MappingProxyType({})
    limits: Mapping[str, int | None] = MappingProxyType({})

    def concerns(self, path: str) -> bool:
        return self.pattern is None or self.pattern.fullmatch(path) is not None


class Config(NamedTuple):
    """`path` is the file it came from, None for the defaults. `sections[0]` is what holds everywhere."""

    path: str | None = None
    fail_on: str = "error"
    targets: tuple[str, ...] = ()
    sections: tuple[Rules, ...] = (Rules(),)

    def limit(self, name: str, path: str) -> int | None:
        """A limit in bytes for the file `path`; None where it is switched off."""
        value = DEFAULT_LIMITS[name]
        for section in self.sections:
            if name in section.limits and section.concerns(path):
                value = section.limits[name]
        return value

    def apply(self, findings: Iterable[Finding], hidden: set[Ignore]) -> Iterator[Finding]:
        """The findings that are not ignored, with their configured severity; notes in `hidden` which ignores worked."""
        for finding in findings:
            keep = True
            for number, section in enumerate(self.sections):
                if not section.concerns(finding.path):
                    continue
                for code in section.ignore:
                    if finding.code.startswith(code):
                        keep = False
                        hidden.add(Ignore(number - 1, code, section.match))
                if finding.code in section.severity:
                    finding = finding._replace(severity=section.severity[finding.code])  # noqa: PLW2901 - the same one
            if keep:
                yield finding

    def ignores(self) -> Iterator[Ignore]:
        """Every ignore for some paths; those for the whole repository are a choice of rules and need hide nothing."""
        for number, section in enumerate(self.sections):
            if section.pattern is not None:
                for code in section.ignore:
                    yield Ignore(number - 1, code, section.match)


def load(read: Callable[[str], bytes | None], codes: Iterable[str] = ()) -> Config:
    """The configuration whose files `read` gives (None: there is no such file).

    `read` may look into a work tree or into the base revision of a pull request. `codes` are the known rules.
    CouldNotRun when it is wrong: a run under a misread configuration would answer another question.
    """
    own = read(OWN_FILE)
    shared = read(PYPROJECT)
    table = _section_of(shared) if shared is not None and b"gitops-model" in shared else None
    if own is not None and table is not None:
        raise CouldNotRun(
            f"both {OWN_FILE} and [tool.gitops-model] in {PYPROJECT} are there; which one counts would be a guess",
            hint=f"git rm {OWN_FILE}",
        )
    if own is not None:
        return parse(_toml(own, OWN_FILE), OWN_FILE, codes)
    return Config() if table is None else parse(table, PYPROJECT, codes)


def _section_of(data: bytes) -> Table | None:
    tool = _toml(data, PYPROJECT).get("tool")
    section = cast(Table, tool).get("gitops-model") if isinstance(tool, dict) else None
    if section is not None and not isinstance(section, dict):
        raise CouldNotRun(f"{PYPROJECT}: tool.gitops-model must be a table")
    return cast("Table | None", section)


def _toml(data: bytes, path: str) -> Table:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CouldNotRun(f"{path}: this is no TOML: {error}") from error


def parse(table: Mapping[str, object], path: str, codes: Iterable[str] = ()) -> Config:
    """Make a configuration of a TOML table; `path` is for messages."""
    reader = _Reader(path, tuple(codes))
    reader.known(table, _TOP, "")
    fail_on = table.get("fail-on", "error")
    if fail_on not in FAIL_ON:
        raise reader.wrong("fail-on", f"must be one of {', '.join(FAIL_ON)}", fail_on)
    sections = [reader.rules(table, "")]
    paths = table.get("paths", [])
    if not isinstance(paths, list):
        raise reader.wrong("paths", "must be an array of tables, [[paths]]", paths)
    for number, section in enumerate(cast("list[object]", paths)):
        where = f"paths[{number}]."
        if not isinstance(section, dict):
            raise reader.wrong(where[:-1], "must be a table", section)
        reader.known(cast(Table, section), _SECTION, where)
        sections.append(reader.rules(cast(Table, section), where))
    return Config(path, str(fail_on), reader.words(table, "targets", ""), tuple(sections))


class _Reader:
    def __init__(self, path: str, codes: tuple[str, ...]) -> None:
        self.path = path
        self.codes = codes

    def wrong(self, key: str, what: str, found: object) -> CouldNotRun:
        return CouldNotRun(f"{self.path}: {key} {what}, not {found!r}"[:400])

    def known(self, table: Mapping[str, object], names: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in names:
                close = nearest(key, names)
                hint = f"did you mean {close!r}?" if close else f"known are {', '.join(names)}"
                raise CouldNotRun(f"{self.path}: the key {where + key!r} is not known; {hint}")

    def words(self, table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        words = cast("list[object]", value) if isinstance(value, list) else [None]
        strings = tuple(word for word in words if isinstance(word, str) and word)
        if len(strings) != len(words):
            raise self.wrong(where + key, "must be a list of strings", cast(object, value))
        return strings

    def table(self, table: Mapping[str, object], key: str, where: str) -> Table:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(where + key, "must be a table", value)
        return cast(Table, value)

    def rules(self, table: Mapping[str, object], where: str) -> Rules:
        match = self.words(table, "match", where)
        if where and not match:
            raise CouldNotRun(f"{self.path}: {where}match is missing: the paths that this section is about")
        ignore = tuple(self.code(code, f"{where}ignore") for code in self.words(table, "ignore", where))
        severity = {
            self.code(code, f"{where}severity", whole=True): self.severity(value, f"{where}severity.{code}")
            for code, value in self.table(table, "severity", where).items()
        }
        limits = self.table(table, "limits", where)
        self.known(limits, tuple(DEFAULT_LIMITS), f"{where}limits.")
        sizes = {name: self.size(value, f"{where}limits.{name}") for name, value in limits.items()}
        largest = DEFAULT_LIMITS["manifest-size"]
        if "manifest-size" in sizes and not 0 < (sizes["manifest-size"] or 0) <= (largest or 0):
            raise self.wrong(
                f"{where}limits.manifest-size", "must lie between 1 byte and 1 MiB", limits["manifest-size"]
            )
        pattern = re.compile("|".join(translate(glob) for glob in match)) if match else None
        return Rules(pattern, match, ignore, severity, sizes)

    def code(self, code: str, where: str, *, whole: bool = False) -> str:
        """A code or, unless `whole`, the beginning of one; one that no rule has is refused."""
        if not re.fullmatch(r"GM[0-9]{3}" if whole else r"GM[0-9]{0,3}", code):
            raise self.wrong(where, "takes codes such as GM202" + ("" if whole else " or GM2"), code)
        if self.codes and not any(known.startswith(code) for known in self.codes):
            close = nearest(code, self.codes)
            raise CouldNotRun(f"{self.path}: {where}: no rule is called {code}" + (f"; near: {close}" if close else ""))
        return code

    def severity(self, value: object, where: str) -> Severity:
        if not isinstance(value, str) or value not in FAIL_ON[:3]:
            raise self.wrong(where, "must be note, warning or error", value)
        return Severity[value.upper()]

    def size(self, value: object, where: str) -> int | None:
        """Bytes of `50 MiB`, `100MB` or a number; None for `none`."""
        if value == "none":
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        match = re.fullmatch(r"([0-9]{1,15})\s*([A-Za-z]{0,3})", value, re.ASCII) if isinstance(value, str) else None
        unit = _UNITS.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise self.wrong(where, "must be a size such as 50 MiB, a number of bytes or 'none'", value)
        return int(match[1]) * unit


def translate(glob: str) -> str:
    """A path pattern as a regular expression: `*` and `?` within a folder, `**` across folders, `folder/` all below."""
    if glob.endswith("/"):
        glob += "**"
    pattern = ""
    for match in re.finditer(r"(?:\*\*/)+|\*\*+|\*|\?|[^*?]+", glob.removeprefix("/")):
        token = match[0]
        if token.startswith("**"):
            pattern += "(?:[^/]+/)*" if token.endswith("/") else ".*"
        else:
            pattern += {"*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token)
    return f"(?s:{pattern})"
