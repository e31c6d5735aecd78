"""`make demo` does what it shows."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.gitrepo import GitRepo
from support.wheel import ROOT

VERSIONS = ("5.1.2", "6.0.0", "6.2.3")


def test_the_demo(tmp_path: Path, scripts: Path, model_file: Callable[[str, str], Path]) -> None:
    for version in VERSIONS:
        model_file(f"silero-vad=={version}", "silero_vad/data/silero_vad.onnx")
    done = subprocess.run(
        [ROOT / "docs/demo/run"],
        env=os.environ | {"GITOPS_MODEL_BIN": str(scripts), "TMPDIR": str(tmp_path), "GIT_DIR": "/nowhere"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("GM201", "GM001", "GM004", "GM111", "weights-only, version bump: patch", "recorded  voice.onnx"):
        assert said in done.stdout

    (repository,) = tmp_path.glob("gitops-model-demo.*/voice")
    assert f"The repository is {repository}" in done.stdout
    repo = GitRepo(repository)
    assert repo.git("log", "--format=%s").splitlines() == [
        "Update the voice detector to 6.2.3",
        "Update the voice detector to 6.0.0",
        "Add the voice detector",
    ]
    noted = {line.split()[1] for line in repo.git("notes", "--ref=gitops-model", "list").splitlines()}
    assert noted == {repo.git("rev-parse", f"HEAD~{back}:voice.onnx") for back in range(3)}
    assert repo.git("status", "--porcelain") == ""
