"""Writes every file that says again what the program says: a fact has one home, and the copies are made from it.

    python docs/generate.py           write the files that are out of date, and name them
    python docs/generate.py --check   name them, and fail if there are any (CI does; so does tests/quality)

Needs `gitops_model` to be importable (`PYTHONPATH=.` in a checkout).
"""

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Any

ROOT = Path(__file__).parents[1]
BANNER = "Written by docs/generate.py; do not edit."


def suffixes() -> list[str]:
    """File name endings of every format, lower case."""
    from gitops_model.readers import FORMATS

    return sorted({suffix for row in FORMATS for suffix in row.suffixes})


def hook_suffixes() -> str:
    """hooks/suffixes.py: what a hook knows of the FORMATS table without importing a reader."""
    lines = [f'"""File name endings of models, from the FORMATS table. {BANNER}"""', "", "SUFFIXES = ("]
    lines += [f'    b"{suffix}",' for suffix in suffixes()]
    return "\n".join([*lines, ")", ""])


def pre_commit_hooks() -> str:
    """.pre-commit-hooks.yaml: the hooks as the pre-commit framework installs them."""
    endings = "|".join(re.escape(suffix[1:]) for suffix in suffixes() if suffix.startswith("."))
    names = [re.escape(suffix) for suffix in suffixes() if not suffix.startswith(".")]
    files = "(?i)(" + "|".join([f"[^/]\\.({endings})", *names]) + ")$"
    common = ["  language: python", "  types: []", "  require_serial: true"]
    always = ["  language: python", "  always_run: true", "  pass_filenames: false", "  require_serial: true"]
    commit = ["  stages: [pre-commit]"]
    hooks = {
        "model-manifest": (
            "Check model manifests",
            "Every manifest that the commit touches, itself or through a file that it lists, is right.",
            [*always, *commit],
        ),
        "model-check": (
            "Check model files",
            "Model files can be read, are what their names say, and neither reach out nor execute.",
            [f"  files: '{files}'", *common, *commit],
        ),
        "model-record": (
            "Record model digests in git notes",
            "Weights are hashed, and the digests kept in refs/notes/gitops-model.",
            [f"  files: '{files}'", *common, *commit],
        ),
        "model-notes-push": (
            "Push model notes",
            "Notes follow the models to the remote. Never blocks a push.",
            [*always, "  verbose: true", "  stages: [pre-push]"],
        ),
    }
    lines = [f"# {BANNER}"]
    for name, (title, description, settings) in hooks.items():
        lines += [f"- id: {name}", f"  name: {title}", f"  description: {description}"]
        lines += [f"  entry: gitops-model-hook {name}", *settings]
    return "\n".join([*lines, ""])


GROUPS = {
    "GM0": "The file cannot be read, or is not what its name says",
    "GM1": "The manifest alone",
    "GM2": "Digests",
    "GM3": "The model against its manifest, or against the base",
    "GM4": "GPU",
    "GM5": "Release",
    "GM6": "The file would reach outside the repository, or execute",
}


def rules() -> str:
    """docs/rules.md: every rule with its page, as `gitops-model explain CODE` prints it."""
    from gitops_model import checks
    from gitops_model.gpu.reasons import CODES
    from gitops_model.release.reasons import CODES as RELEASE

    pages = {code: (checks.rule_of(code), checks.page_of(code)) for code in checks.CHECKS}
    pages |= {
        code: (row.rule, f"{fill(row.page, 118, break_on_hyphens=False)}\n\nPredicts: `{row.error}`.")
        for code, row in CODES.items()
    }
    pages |= {code: (row.rule, fill(row.page, 118, break_on_hyphens=False)) for code, row in RELEASE.items()}
    lines = [f"<!-- {BANNER} -->", "# Rules", ""]
    lines += ["Codes are never renumbered. `gitops-model explain GM201` prints a page; `--select` and `--ignore`, and"]
    lines += ["`ignore` in `.gitops-model.toml`, take a code or its beginning.", ""]
    for start, title in GROUPS.items():
        found = sorted((rule, page) for code, (rule, page) in pages.items() if code.startswith(start))
        if not found:
            continue
        lines += [f"## {start}: {title}", "", "| code | name | severity | says |", "|---|---|---|---|"]
        for rule, _ in found:
            anchor = f"{rule.code}-{rule.name}".lower()
            lines.append(f"| [{rule.code}](#{anchor}) | {rule.name} | {rule.severity.label} | {rule.summary} |")
        for rule, page in found:
            lines += ["", f"### {rule.code} {rule.name}", "", page]
        lines.append("")
    return "\n".join(lines)


def gpu_documents() -> str:
    """docs/gpu.md: the two sides of a GPU verdict, from their published schemas, and the ready-made profiles."""
    from gitops_model.gpu.documents import schema
    from gitops_model.gpu.profiles import names, profile

    lines = [f"<!-- {BANNER} -->", GPU.strip(), ""]
    for kind, title in (("requirements", "What a release needs"), ("target", "What a machine has")):
        document = schema(kind)
        lines += [f"## {title}", "", f"{document['description']} The schema is"]
        lines += [f"[`{kind}.schema.json`](../gitops_model/gpu/{kind}.schema.json).", "", "| key | what |", "|---|---|"]
        lines += [f"| `{key}` | {about} |" for key, about in _keys(document, document, "")]
        lines.append("")
    lines += ["## Profiles", "", "| profile | GPU | capability | memory | driver |", "|---|---|---|---|---|"]
    for name in names():
        target = profile(name)
        gpu = target["gpus"][0]
        memory = f"{gpu['memory_mib']} MiB"
        lines.append(f"| `{name}` | {gpu['name']} | {gpu['compute_capability']} | {memory} | {target['driver']} |")
    return "\n".join([*lines, ""])


def _keys(part: dict[str, Any], root: dict[str, Any], before: str) -> Iterator[tuple[str, str]]:
    """Every key with what it says, those of lists as `gpus[].name`."""
    for key, inner in part.get("properties", {}).items():
        items = inner.get("items", {})
        below = root["$defs"][items["$ref"].rpartition("/")[2]] if "$ref" in items else items or inner
        name = f"{before}{key}" + ("[]" if items else "")
        yield name, str(inner.get("description", "")).replace("|", "\\|")
        yield from _keys(below, root, f"{name}.")


def manifest_keys() -> str:
    """docs/manifest.md: the keys of a manifest, from its published schema."""
    import json

    path = ROOT / "gitops_model" / "manifest" / "schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    lines = [f"<!-- {BANNER} -->", "# The manifest", "", f"{schema['description']} The schema is"]
    lines += ["[`gitops_model/manifest/schema.json`](../gitops_model/manifest/schema.json) (JSON Schema 2020-12).", ""]
    lines += [MANIFEST.strip(), "", "| key | required | what |", "|---|---|---|"]
    for key, part in schema["properties"].items():
        needed = "yes" if key in schema["required"] else "for formats with a signature" if "puts" in key else ""
        lines.append(f"| `{key}` | {needed} | {_about(part, schema)} |")
        for inner, more in part.get("properties", {}).items():
            lines.append(f"| `{key}.{inner}` | | {_about(more, schema)} |")
    return "\n".join([*lines, ""])


def _about(part: dict[str, object], schema: dict[str, dict[str, dict[str, object]]]) -> str:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    about = part.get("description") or schema["$defs"][name]["description"]
    return str(about).replace("|", "\\|")


def configuration() -> str:
    """docs/configuration.md: what `.gitops-model.toml` may hold, as config.py says it, and the defaults."""
    from gitops_model import config

    first, *rest = (config.__doc__ or "").strip().split("\n\n")
    text = "\n\n".join(rest).replace("\n    ", "\n").removeprefix("    ")
    example, _, after = text.partition("\n\nOf several")
    lines = [
        f"<!-- {BANNER} -->",
        "# Configuration",
        "",
        first,
        "",
        "```toml",
        example,
        "```",
        "",
        "Of several" + after,
        "",
    ]
    lines += [
        "Both files at once, an unknown key (the nearest is named), an unknown code or a size without a unit that is"
    ]
    lines += ["known end the run with exit 2. On a pull request from a fork the configuration of the base is used.", ""]
    lines += ["| limit | default |", "|---|---|"]
    lines += [f"| `{name}` | {size} bytes |" for name, size in config.DEFAULT_LIMITS.items()]
    return "\n".join([*lines, ""])


GPU = """
# Will it run on that GPU?

A verdict compares two documents, YAML or JSON: what a release needs, and what a machine has. It can be given anywhere,
before anything is deployed, and by anybody who has both.

| verdict | means |
|---|---|
| `allow` | every fact that could forbid it is known, and none does |
| `jit-fallback` | it runs once its PTX was compiled on the machine; the reason names the missing `-gencode` |
| `reject` | at least one fact forbids it, whatever the others are |
| `unknown` | nothing known forbids it, but a fact is missing, newer than the tables, or contradicts another |

Each reason has a code ([GM401 and on](rules.md)), the error that the program would meet, what to change, and where the
rule comes from. With several GPUs the worst one decides.

A key that is absent from a target is a fact that nobody knows, so what depends on it is not allowed. `null` is a
statement where a key says so (no cuda-compat, no NVSwitch fabric), and otherwise the same as absent. What decides alone
(no libcuda, an unmet soname, an NVML status of 18) decides without the rest. Two facts need not be stated, since others
tell them: `cuda_driver` follows from `driver`, and that no cuda-compat is in use from a `cuda_driver` that is the
driver's own.

Device code is judged per container of a fatbin: a library of your own needs every container to run, a library that
picks its kernels by GPU (cuBLAS, cuDNN, ONNX Runtime) one. Input of a device link (`__nv_relfatbin`) is no code.

The tables behind the rules are in `gitops_model/gpu/facts`: each row names its source and the day it was read or
measured. What no row covers is unknown; nothing is extended by a guess.
"""

MANIFEST = """
`gitops-model init MODEL` writes a first one; `gitops-model check` judges it; `gitops-model check --fix` refreshes its
checksums and changes nothing else.

```yaml
name: silero-vad
version: 5.1.2
architecture: [amd64, arm64]
checksums:
  silero_vad.onnx:
    sha256: 2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f
inputs:
  input: {dtype: float32, shape: [batch, samples]}
  state: {dtype: float32, shape: [2, batch, 128]}
  sr: {dtype: int64, shape: []}
outputs:
  output: {dtype: float32, shape: [batch, 1]}
  stateN: {dtype: float32, shape: null}
```

How it is read:

- Its name is `model.yaml` or `*.model.yaml`, its text UTF-8, its size at most 1 MiB. Paths under `checksums` are
  relative to it and below its folder. A model file beside a manifest that no manifest lists is an error (GM112).
- **Every scalar is text** until the schema asks for more: `1.10` stays `1.10`, and a model or a dimension may be
  called `on`. Where a number may stand, only plain decimal ones count (`0x10`, `010` and `1_000` are refused), and text
  in quotes is never a number. `null`, `~` and nothing are null.
- Tags, merge keys, directives, several documents, equal keys and keys that are not text are refused. Anchors and
  aliases are read, up to 40,000 nodes once they are followed, and nesting up to 32 levels.
- A dimension is a size, a symbol, or null. Compared with a file: null agrees with everything; sizes must be equal; a
  size agrees with a symbol of the file, a symbol not with a size of the file; one symbol of the file must be one thing
  here.
- Where several model files are listed, each that has a signature must have the declared one.
"""


def usage(form: str) -> Callable[[], str]:
    """The command line in one of the forms that gitops_model.render.usage knows."""

    def make() -> str:
        from gitops_model.cli.describe import describe
        from gitops_model.render import render

        return render("usage", form, describe())

    return make


def readme() -> str:
    """README.md, with the tables between its markers made anew; the rest of it is written by hand."""
    from gitops_model.cli import VERBS
    from gitops_model.readers import FORMATS

    verbs = [(f"`{verb}`", import_module(f"gitops_model.cli.{name}").SUMMARY) for verb, name in VERBS.items()]
    formats = [(row.name, " ".join(f"`{suffix}`" for suffix in row.suffixes)) for row in FORMATS]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, rows in {"verbs": verbs, "formats": formats}.items():
        table = "".join(f"| {left} | {right} |\n" for left, right in rows)
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        head, _, after = rest.partition(f"<!-- end of {name} -->")
        titles = "".join(head.splitlines(keepends=True)[:2])
        text = f"{before}<!-- {name} -->\n{titles}{table}<!-- end of {name} -->{after}"
    return text


FORMATS_HEAD = """\
Which files are read, what of them, and what they are called in reports. A file is read in the format that its name
promises; a file without such a name, in the one that its bytes show when somebody names it on the command line. Every
count and length in a file is checked against what is really there, and nothing is executed, unpickled or followed out
of the repository. How names and digests are made is in [format.md](format.md); how a format is added, in
[adding-a-format.md](adding-a-format.md).

What is none of these gets an opaque description from `show` and `record` (its kind, size and digest) and a finding from
`check` that says what it is: GM009, or GM004 where the name promised something else.
"""


def formats() -> str:
    """docs/formats.md: the table, and each reader's own docstring."""
    from gitops_model.readers import FORMATS, reader_of, title_of

    table = ["| format | file names | only when listed or named | inputs and outputs |", "|---|---|---|---|"]
    pages: list[str] = []
    for row in FORMATS:
        strong, weak = (" ".join(f"`{suffix}`" for suffix in some) for some in (row.suffixes, row.weak))
        table.append(f"| [{row.name}](#{row.name}) | {strong} | {weak} | {'yes' if row.has_signature else ''} |")
        text = (reader_of(row).__doc__ or "").strip()
        pages.append(f"## {row.name}\n\nIn messages: {title_of(row)}.\n\n{text}\n")
    return "\n".join([f"<!-- {BANNER} -->\n# Formats\n", FORMATS_HEAD, "\n".join(table), "", *pages])


CASES = """\
Each has cases: pairs of small models that must be recognised, and pairs that only look like it. ONNX Runtime computes
the same with the first ones, and something else with the others, or the case says why nothing is proved.
"""


def rewrites() -> str:
    """docs/rewrites.md: every known rewrite, with the page in its module."""
    from gitops_model.diff.rewrites import LOSSY, REWRITES, module_of, numeric

    lines = [f"<!-- {BANNER} -->", "# Known rewrites", ""]
    lines += [
        "Ways to write the same thing that a diff looks through and names (`graph.rewrites[].pattern`). `exact`: the"
    ]
    lines += [
        "same operations on floats; `rounded`: equal in real arithmetic; `lossy`: numbers change, never equivalent.",
        "",
    ]
    cases = ROOT / "tests" / "cases" / "rewrites"
    found = {
        pattern: {kind: sorted((cases / pattern / kind).glob("*.txt")) for kind in ("good", "bad")}
        for pattern in (*REWRITES, *LOSSY)
    }
    lines += [CASES, "| pattern | numeric | cases | counter-cases |", "|---|---|---|---|"]
    for pattern, kinds in found.items():
        good, bad = (len(kinds[kind]) for kind in ("good", "bad"))
        lines.append(f"| [{pattern}](#{pattern}) | {numeric(pattern)} | {good} | {bad} |")
    for pattern in (*REWRITES, *LOSSY):
        title, _, text = (module_of(pattern).__doc__ or "").strip().partition("\n\n")
        lines += ["", f"## {pattern}", "", f"*{title}*", "", text]
        for kind, words in (("good", "Named"), ("bad", "Not claimed")):
            lines += ["", f"{words}:"]
            for path in found[pattern][kind]:
                about = path.read_text(encoding="utf-8").partition("\n\n")[0].replace("\n", " ")
                lines.append(f"- [{path.stem}](../{path.relative_to(ROOT)}): {about}")
    return "\n".join([*lines, ""])


FILES: dict[str, Callable[[], str]] = {
    "docs/formats.md": formats,
    "README.md": readme,
    "hooks/suffixes.py": hook_suffixes,
    ".pre-commit-hooks.yaml": pre_commit_hooks,
    "docs/cli.md": usage("markdown"),
    "docs/share/man/man1/gitops-model.1": usage("man"),
    "docs/share/man/man1/git-model.1": lambda: ".so man1/gitops-model.1\n",
    "docs/share/bash-completion/completions/gitops-model": usage("bash"),
    "docs/share/zsh/site-functions/_gitops-model": usage("zsh"),
    "docs/share/fish/vendor_completions.d/gitops-model.fish": usage("fish"),
    "docs/rules.md": rules,
    "docs/rewrites.md": rewrites,
    "docs/manifest.md": manifest_keys,
    "docs/gpu.md": gpu_documents,
    "docs/configuration.md": configuration,
}
"""Path in the checkout → what it must hold."""


def stale() -> list[str]:
    """The files whose text is not what it should be."""
    return [name for name, make in FILES.items() if not _is(ROOT / name, make())]


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(words: list[str]) -> int:
    """Write or check; returns the exit code."""
    names = stale()
    for name in names:
        print(name)
        if words != ["--check"]:
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(FILES[name](), encoding="utf-8")
    return int(bool(names) and words == ["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
