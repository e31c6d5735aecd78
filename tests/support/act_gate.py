"""The GPU gate under act: a tag push, or a merge group, of a user's repository, with a runner that may fail."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.act import DOWNLOAD, SETUP_UV, UPLOAD, UV, Call
from support.fake_github import FakeGitHub
from support.gitrepo import GitRepo
from support.wheel import ROOT

WORKFLOW = ROOT / ".github/workflows/model-gpu-gate.yml"
INSTALL = ROOT / ".github/actions/install/action.yml"
SELF = f"gitops-model/gitops-model@{'6' * 40}"
CHECKOUT = """\
name: checkout
description: the whole history with its tags, or one commit
inputs:
  ref: {description: what to check out, default: ""}
  fetch-depth: {description: ignored, default: "1"}
  lfs: {description: ignored, default: "false"}
  persist-credentials: {description: must be false, default: "true"}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        REF: ${{ inputs.ref }}
        PERSIST: ${{ inputs.persist-credentials }}
      run: |
        set -eu
        [ "$PERSIST" = false ]
        git init --quiet .
        git remote add origin "$TEST_ORIGIN"
        git fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*'
        git checkout --quiet --detach "${REF:-$GITHUB_SHA}"
"""
PROGRAM = """\
#!/usr/bin/env bash
set -eu
echo "$*" >> "$TEST_CALLS"
if [ "$1 $2" = "gpu check" ]; then
  [ "$TEST_RUNNER" != broken ] || exit 1
  words=()
  for word in "$@"; do
    [ "$word" != --smoke ] || continue
    [ "$word" != here ] || word=$TEST_TARGET
    words+=("$word")
  done
  exec "$TEST_REAL" "${words[@]}"
fi
exec "$TEST_REAL" "$@"
"""
"""The program, but for what the machine of a test does not have: its GPU is a file, and nothing is run on it."""


@dataclass
class Gate:
    """`target` is the file that describes the GPU of the runner; `runner` is `fine` or `broken`."""

    folder: Path
    program: Path
    act: Path
    target: str = ""
    runner: str = "fine"
    options: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = WORKFLOW.read_text() + INSTALL.read_text()
        stubs = {
            "actions/checkout": CHECKOUT,
            "actions/upload-artifact": UPLOAD,
            "actions/download-artifact": DOWNLOAD,
            "astral-sh/setup-uv": SETUP_UV,
        }
        used = dict(re.findall(r"uses: ([\w-]+/[\w-]+)@([0-9a-f]{40})", text))
        assert used.keys() == stubs.keys()
        for name, sha in used.items():
            self._action(f"{name}@{sha}", "action.yml", stubs[name])
        self._action(SELF, ".github/actions/install/action.yml", INSTALL.read_text())
        for name, script in (("uv/uv", UV), ("programs/gitops-model", PROGRAM)):
            path = self.folder / name
            path.parent.mkdir(parents=True)
            path.write_text(script)
            path.chmod(0o755)

    def _action(self, reference: str, name: str, text: str) -> None:
        path = self.folder / "actions" / reference.replace("/", "-") / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        self.options += ["--local-repository", f"{reference}={self.folder / 'actions' / reference.replace('/', '-')}"]

    def __call__(self, event: str, payload: dict[str, Any], github: FakeGitHub, origin: GitRepo) -> tuple[int, str]:
        """(exit code of act, its log); the workflow is called as a user's own workflow calls it."""
        here = self.folder / "runs" / f"{len(list(self.folder.glob('runs/*')))}"
        (here / "tmp").mkdir(parents=True)
        user = GitRepo(here / "repo")
        origin.git("clone", "--quiet", "--no-local", ".", str(user.path))  # act takes the commit from where it stands
        user.git("checkout", "--quiet", "--detach", payload["head_sha"])
        user.git("remote", "set-url", "origin", f"https://github.com/{github.repository}")
        text = re.sub(
            r"uses: \$(/\S+)", rf"uses: {SELF.partition('@')[0]}\1@{SELF.partition('@')[2]}", WORKFLOW.read_text()
        )
        user.write(".github/workflows/model-gpu-gate.yml", text)
        caller = f"on: {event}\njobs:\n  gate:\n    uses: ./.github/workflows/model-gpu-gate.yml\n"
        user.write(".github/workflows/gate.yml", caller)
        (here / "event.json").write_text(json.dumps(payload))
        values = {
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": github.repository,
            "GITHUB_RUN_ID": "100",
            "TEST_ORIGIN": origin.path.as_uri(),
            "TEST_ARTIFACTS": str(here / "artifacts"),
            "TEST_UV": str(self.folder / "uv"),
            "TEST_PROGRAMS": str(self.folder / "programs"),
            "TEST_REAL": str(self.program),
            "TEST_CALLS": str(self.folder / "calls"),
            "TEST_RUNNER": self.runner,
            "TEST_TARGET": self.target,
        }
        call = Call(self.act, event, "gate.yml", values, self.options)
        done = call(here, self.folder / "cache", github)
        return done.returncode, done.stdout
