"""The configuration: what it takes, what it refuses, and what applies to which path."""

import pytest

from gitops_model.checks import CHECKS
from gitops_model.config import DEFAULT_LIMITS, OWN_FILE, PYPROJECT, Config, Ignore, load, translate
from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Severity


def of(own: str | None = None, pyproject: str | None = None) -> Config:
    files = {OWN_FILE: own, PYPROJECT: pyproject}
    return load(lambda path: None if (text := files.get(path)) is None else text.encode(), CHECKS)


def finding(code: str, path: str) -> Finding:
    return Finding(code, "name", Severity.ERROR, path, "message")


def codes(config: Config, *findings: Finding) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in config.apply(findings, set())]


def test_without_files_the_defaults_hold() -> None:
    config = of()
    assert config == Config()
    assert config.limit("manifest-size", "model.yaml") == 1 << 20
    assert codes(config, finding("GM112", "a.onnx")) == [("GM112", "a.onnx")]


def test_a_pyproject_without_a_section_is_somebody_elses() -> None:
    assert of(pyproject='[project]\nname = "gitops-model"\n') == Config()
    assert of(pyproject="[tool.ruff]\n") == Config()
    assert of(own="", pyproject='[project]\ndependencies = ["gitops-model"]\n').path == OWN_FILE


def test_a_broken_pyproject_of_somebody_else_is_not_read() -> None:
    assert of(pyproject="= nonsense") == Config()


@pytest.mark.parametrize("where", [OWN_FILE, PYPROJECT])
def test_both_files_take_the_same(where: str) -> None:
    text = 'fail-on = "warning"\ntargets = ["l4"]\nignore = ["GM112"]\n'
    config = of(own=text) if where == OWN_FILE else of(pyproject="[tool.gitops-model]\n" + text)
    assert (config.path, config.fail_on, config.targets) == (where, "warning", ("l4",))
    assert codes(config, finding("GM112", "a"), finding("GM111", "a")) == [("GM111", "a")]


def test_both_files_at_once_are_refused() -> None:
    with pytest.raises(CouldNotRun, match="both"):
        of(own="", pyproject="[tool.gitops-model]\n")


def test_rules_per_path() -> None:
    config = of(
        'ignore = ["GM608"]\n[severity]\nGM112 = "note"\n'
        '[[paths]]\nmatch = ["experiments/"]\nignore = ["GM3", "GM112"]\nlimits = {weights-outside-lfs = "1 GiB"}\n'
        '[[paths]]\nmatch = ["experiments/kept/**"]\nseverity = {GM201 = "warning"}\nlimits = {manifest-size = 99}\n'
    )
    inside = "experiments/kept/model.yaml"
    hidden: set[Ignore] = set()
    found = [finding(code, path) for code in ("GM301", "GM112", "GM201", "GM608") for path in (inside, "model.yaml")]
    left = [(one.code, one.path, one.severity.label) for one in config.apply(found, hidden)]
    assert left == [
        ("GM301", "model.yaml", "error"),
        ("GM112", "model.yaml", "note"),
        ("GM201", inside, "warning"),
        ("GM201", "model.yaml", "error"),
    ]
    assert set(config.ignores()) <= hidden
    assert config.limit("weights-outside-lfs", inside) == 1 << 30
    assert config.limit("weights-outside-lfs", "a.onnx") == DEFAULT_LIMITS["weights-outside-lfs"]
    assert config.limit("manifest-size", inside) == 99


def test_an_ignore_that_hides_nothing_is_not_among_those_that_did() -> None:
    config = of('ignore = ["GM101"]\n[[paths]]\nmatch = ["a/**"]\nignore = ["GM301", "GM302"]\n')
    hidden: set[Ignore] = set()
    list(config.apply([finding("GM301", "a/model.yaml")], hidden))
    assert [one.code for one in config.ignores() if one not in hidden] == ["GM302"]


@pytest.mark.parametrize(
    "text, size",
    [("1", 1), ("12 B", 12), ("1kb", 1000), ("1 KiB", 1024), ("3 MB", 3_000_000), ("2GiB", 2 << 30), ("none", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert of(f'limits = {{weights-outside-lfs = "{text}"}}\n').limit("weights-outside-lfs", "x") == size


@pytest.mark.parametrize(
    "text, says",
    [
        ("x = [", "no TOML"),
        ("\xff", "no TOML"),
        ('fail-on = "never"', "must be one of"),
        ('ignores = ["GM112"]', "did you mean 'ignore'"),
        ("colour = true", "known are"),
        ('ignore = "GM112"', "list of strings"),
        ("ignore = [112]", "list of strings"),
        ('ignore = ["112"]', "takes codes"),
        ('ignore = ["GM1x"]', "takes codes"),
        ('ignore = ["GM999"]', "no rule is called GM999"),
        ('severity = {GM1 = "note"}', "takes codes"),
        ('severity = {GM112 = "none"}', "note, warning or error"),
        ("severity = 1", "must be a table"),
        ("limits = {manifestsize = 1}", "did you mean 'manifest-size'"),
        ('limits = {manifest-size = "2 MiB"}', "between"),
        ('limits = {manifest-size = "none"}', "between"),
        ("limits = {manifest-size = 0}", "between"),
        ("limits = {weights-outside-lfs = -1}", "must be a size"),
        ("limits = {weights-outside-lfs = true}", "must be a size"),
        ('limits = {weights-outside-lfs = "5 parsecs"}', "must be a size"),
        ("paths = 1", "array of tables"),
        ("paths = [1]", "must be a table"),
        ('[[paths]]\nignore = ["GM112"]', "match is missing"),
        ('[[paths]]\nmatch = ["a"]\nfail-on = "note"', "is not known"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(CouldNotRun, match=says) as caught:
        load(lambda path: text.encode("latin-1") if path == OWN_FILE else None, CHECKS)
    assert OWN_FILE in str(caught.value)


def test_a_section_that_is_no_table_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="must be a table"):
        of(pyproject="[tool]\ngitops-model = 1\n")


@pytest.mark.parametrize(
    "glob, path, matches",
    [
        ("model.yaml", "model.yaml", True),
        ("model.yaml", "a/model.yaml", False),
        ("**/model.yaml", "model.yaml", True),
        ("**/model.yaml", "a/b/model.yaml", True),
        ("a/*", "a/b", True),
        ("a/*", "a/b/c", False),
        ("a/**", "a/b/c", True),
        ("a/", "a/b/c", True),
        ("a/", "ab/c", False),
        ("/a/", "a/b", True),
        ("?.onnx", "m.onnx", True),
        ("?.onnx", "/.onnx", False),
        ("a.b", "axb", False),
        ("a\nb", "a\nb", True),
        ("**", "a\n/b", True),
        ("[ab]", "a", False),
    ],
)
def test_patterns(glob: str, path: str, matches: bool) -> None:
    import re

    assert bool(re.fullmatch(translate(glob), path)) is matches
