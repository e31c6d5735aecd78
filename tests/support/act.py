"""Running real workflows with act (host mode), against stubs of other people's actions and a GitHub on loopback.

The workflows and action.yml are the tree's own. act 0.2.89 does not know `$/`, GitHub's word for "the repository and
commit of this workflow": it is replaced by what it stands for. Stubs take the place of actions/checkout (which fetches
one commit, as the real one does), of the two artifact actions, and of setup-uv, which brings a `uv` that installs the
program under test.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.fake_github import FakeGitHub
from support.gitrepo import GitRepo
from support.wheel import ROOT

OURS = ("model-review.yml", "model-review-comment.yml", "model-notes.yml")
SELF = f"gitops-model/gitops-model@{'5' * 40}"

CHECKOUT = """\
name: checkout
description: one commit, as actions/checkout fetches it
inputs:
  persist-credentials: {description: ignored, default: "true"}
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        set -eu
        git init --quiet .
        git remote add origin "$TEST_ORIGIN"
        git fetch --quiet --no-tags --depth=1 origin "$TEST_CHECKOUT"
        GIT_LFS_SKIP_SMUDGE=1 git checkout --quiet --detach FETCH_HEAD
"""
UPLOAD = """\
name: upload-artifact
description: copies files to a folder
inputs:
  name: {description: name, required: true}
  path: {description: paths, required: true}
  retention-days: {description: ignored, default: ""}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        FILES: ${{ inputs.path }}
      run: |
        mkdir -p "$TEST_ARTIFACTS/$NAME"
        while IFS= read -r file; do [ -z "$file" ] || cp "$file" "$TEST_ARTIFACTS/$NAME/"; done <<<"$FILES"
"""
DOWNLOAD = """\
name: download-artifact
description: copies files from a folder
inputs:
  name: {description: name, required: true}
  path: {description: folder, required: true}
  run-id: {description: ignored, required: true}
  github-token: {description: ignored, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        FOLDER: ${{ inputs.path }}
      run: mkdir -p "$FOLDER" && cp "$TEST_ARTIFACTS/$NAME"/* "$FOLDER/"
"""
SETUP_UV = """\
name: setup-uv
description: puts a uv on PATH that installs the program under test
inputs:
  version: {description: ignored, required: true}
  cache-dependency-glob: {description: ignored, default: ""}
runs:
  using: composite
  steps:
    - shell: bash
      run: echo "$TEST_UV" >> "$GITHUB_PATH"
"""
UV = """\
#!/usr/bin/env bash
set -eu
echo "uv $*" >> "$TEST_UV/calls"
[ "$1" != venv ] || { folder=${!#}; mkdir -p "$folder/bin"; ln -sf "$TEST_PROGRAMS"/gitops-model* "$folder/bin/"; }
"""
STUBS = {
    "actions/checkout": CHECKOUT,
    "actions/upload-artifact": UPLOAD,
    "actions/download-artifact": DOWNLOAD,
    "astral-sh/setup-uv": SETUP_UV,
}


@dataclass
class Call:
    """One call of act: the program, the event, the user's workflow file, what jobs find in their environment."""

    act: Path
    event: str
    workflow: str
    values: dict[str, str]
    options: list[str]

    def __call__(self, here: Path, cache: Path, github: FakeGitHub) -> subprocess.CompletedProcess[str]:
        """Runs on this machine in `here`/repo, with `here`/event.json as the event and nothing from outside."""
        command = [
            str(self.act), self.event, "-W", f".github/workflows/{self.workflow}", "-e", str(here / "event.json"),
            "-P", "ubuntu-24.04=-self-hosted", "-P", "self-hosted=-self-hosted", "--action-cache-path", str(cache),
            "--action-offline-mode", "--pull=false", "--no-cache-server", "--no-skip-checkout",
            "-s", f"GITHUB_TOKEN={github.token}", *self.options,
        ]  # fmt: skip
        for name, value in self.values.items():
            command += ["--env", f"{name}={value}"]
        environ = {name: os.environ[name] for name in ("PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")}
        environ["TMPDIR"] = str(here / "tmp")
        return subprocess.run(
            command, cwd=here / "repo", env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=180,
        )  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a run of a workflow left: exit code of act, its log, the job summary, and the artifacts of all runs."""

    code: int
    log: str
    summary: str
    artifacts: Path

    def report(self, key: str = "models") -> dict[str, Any]:
        return json.loads((self.artifacts / f"model-review-{key}" / "report.json").read_text())


class Act:
    """`act(...)` runs one workflow of a user's repository."""

    def __init__(self, folder: Path, programs: Path, program: Path) -> None:
        self.folder = folder
        self.program = program
        self.programs = programs
        self.artifacts = folder / "artifacts"
        self.options: list[str] = []
        self._lay_actions()

    def _lay_actions(self) -> None:
        text = "".join((ROOT / ".github/workflows" / name).read_text() for name in OURS)
        text += (ROOT / "action.yml").read_text()
        used = dict(re.findall(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40})", text))
        assert used.keys() == STUBS.keys()
        for name, sha in used.items():
            self._action(f"{name}@{sha}", STUBS[name])
        self._action(SELF, (ROOT / "action.yml").read_text())
        uv = self.folder / "uv" / "uv"
        uv.parent.mkdir()
        uv.write_text(UV)
        uv.chmod(0o755)

    def _action(self, reference: str, text: str) -> None:
        folder = self.folder / "actions" / reference.replace("/", "-")
        folder.mkdir(parents=True)
        (folder / "action.yml").write_text(text)
        self.options += ["--local-repository", f"{reference}={folder}"]

    def __call__(
        self,
        event: str,
        payload: dict[str, Any],
        github: FakeGitHub,
        origin: GitRepo,
        commit: str,
        *,
        job: str = "review",
        run: int = 100,
        inputs: dict[str, str | bool] | None = None,
    ) -> Run:
        """`commit` is what the checkout of the job gets; `job` one of review, comment, notes."""
        workflow = {"review": "model-review.yml", "comment": "model-review-comment.yml", "notes": "model-notes.yml"}[
            job
        ]
        here = self.folder / "runs" / f"{len(list(self.folder.glob('runs/*')))}"
        (here / "repo/.github/workflows").mkdir(parents=True)
        (here / "tmp").mkdir()
        text = (ROOT / ".github/workflows" / workflow).read_text()
        (here / "repo/.github/workflows" / workflow).write_text(text.replace("uses: $/.", f"uses: {SELF}"))
        caller = f"on: {event}\njobs:\n  models:\n    uses: ./.github/workflows/{workflow}\n"
        if inputs:
            caller += "    with:\n" + "".join(f"      {name}: {json.dumps(value)}\n" for name, value in inputs.items())
        (here / "repo/.github/workflows/models.yml").write_text(caller)
        (here / "event.json").write_text(json.dumps(payload))
        user = GitRepo(here / "repo")
        user.git("init", "--quiet")
        user.git("remote", "add", "origin", f"https://github.com/{github.repository}")
        user.commit("The workflows of a user")
        values = {
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": github.repository,
            "GITHUB_RUN_ID": str(run),
            "GITHUB_RUN_ATTEMPT": "1",
            "TEST_ORIGIN": origin.path.as_uri(),
            "TEST_CHECKOUT": commit,
            "TEST_ARTIFACTS": str(self.artifacts),
            "TEST_UV": str(self.folder / "uv"),
            "TEST_PROGRAMS": str(self.programs),
        }
        call = Call(self.program, event, "models.yml", values, self.options)
        done = call(here, self.folder / "cache", github)
        summary = "\n".join(re.findall(r"Summary - (.*?)(?=^\[|\Z)", done.stdout, re.DOTALL | re.MULTILINE))
        return Run(done.returncode, done.stdout, summary, self.artifacts)
