"""The real models are the ones that the facts about them were measured on."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support import models

PAIRS = json.loads((models.LOCK.parent / "pairs.json").read_text(encoding="utf-8"))
FILES = sorted(
    {(side["package"], side["path"], side["sha256"]) for pair in PAIRS for side in (pair["before"], pair["after"])}
)


def test_every_wheel_is_pinned_once() -> None:
    lines = [line for line in models.LOCK.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(models.pins()) == len(lines) == 20


@pytest.mark.parametrize("package, path, sha256", FILES)
def test_every_file_of_the_pairs_is_as_measured(
    package: str, path: str, sha256: str, model_file: Callable[[str, str], Path]
) -> None:
    assert hashlib.sha256(model_file(package, path).read_bytes()).hexdigest() == sha256


def test_a_wheel_with_another_hash_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = models.Pin("model==1", "0" * 64)
    monkeypatch.setattr(models, "CACHE", tmp_path)
    monkeypatch.setattr(models, "pins", lambda: {pin.requirement: pin})
    pin.folder.mkdir(parents=True)
    (pin.folder / "model-1-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(models.Unavailable, match="run `make models`"):
        models.model_file("model==1", "a.onnx")


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped"])
def test_a_member_cannot_leave_the_cache(name: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, b"x")
    with zipfile.ZipFile(content) as archive, pytest.raises(ValueError, match="unsafe"):
        models._extract(archive, name, tmp_path / "cache" / name)
    assert list(tmp_path.rglob("*")) == []
