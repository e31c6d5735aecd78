"""The environment that tests run in: nothing of the person's, the machine's or an outer git's."""

import os
from pathlib import Path

# What a client needs to reach a package registry, and what tells tests how they are run.
KEPT = (
    "PATH",
    "CI",
    "LANG",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "TERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
)
KEPT_PREFIXES = ("PIP_", "UV_", "PYTEST_", "GITOPS_MODEL_", "HYPOTHESIS_", "COV_", "COVERAGE_")
KEPT_SUFFIXES = ("_proxy", "_PROXY", "_CA_BUNDLE")

GIT_CONFIG = """\
[user]
\tname = Test Person
\temail = test@example.com
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
[tag]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[protocol "file"]
\tallow = always
"""


def clean(environ: dict[str, str], home: Path, programs: Path) -> dict[str, str]:
    """The environment for tests: `home` is HOME and holds git's only configuration; `programs` leads PATH."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES) or name.endswith(KEPT_SUFFIXES)
    }
    paths = [str(programs), *(part for part in kept.get("PATH", os.defpath).split(os.pathsep) if part != str(programs))]
    return kept | {
        "PATH": os.pathsep.join(paths),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ADVICE": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
        # pyright asks the registry whether there is a newer one, and says so, unless told not to.
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def lay_home(home: Path) -> None:
    """Make `home` what every test finds: git's configuration, and nothing else."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text(GIT_CONFIG, encoding="utf-8")


def fingerprint(home: Path) -> dict[str, int]:
    """What would change if a test wrote to a real home: its entries, and the files that our tools could touch."""
    watched = (".gitconfig", ".config/git", ".config/act", ".cache/pre-commit", ".cache/act", ".npmrc", ".local/share")
    names = sorted(os.listdir(home)) if home.is_dir() else []
    found = dict.fromkeys(names, 0)
    for name in watched:
        try:
            found[name] = (home / name).stat().st_mtime_ns
        except OSError:
            continue
    return found
