"""A file whose ending says little (`.bin`, `.ts`) is read when a manifest lists it, or the user names it, and its bytes
are a model's."""

import io
import zipfile
from collections.abc import Callable

from support.gitrepo import GitRepo
from support.program import Program
from support.small_models import manifest

EVIL = b"\x80\x02cposix\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03."


def evil_archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", EVIL)
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def test_a_listed_file_is_read_when_it_is_a_model(git_repo: Callable[..., GitRepo], cli: Program) -> None:
    repo = git_repo()
    files = {"layer.bin": evil_archive(), "app.ts": b"export const x: number = 1;\n", "data.bin": bytes(64)}
    for name, content in files.items():
        (repo.path / name).write_bytes(content)
    (repo.path / "model.yaml").write_text(
        manifest(layer_dot_bin=files["layer.bin"], app_dot_ts=files["app.ts"], data_dot_bin=files["data.bin"])
    )
    result = cli("check", cwd=repo.path, check=1)
    assert "layer.bin: error GM603" in result.out
    assert "app.ts" not in result.out
    assert "data.bin" not in result.out


def test_an_unlisted_file_is_read_only_when_it_is_named(git_repo: Callable[..., GitRepo], cli: Program) -> None:
    repo = git_repo()
    (repo.path / "layer.bin").write_bytes(evil_archive())
    assert "layer.bin" not in cli("check", cwd=repo.path).out
    assert "GM603" in cli("check", "layer.bin", cwd=repo.path, check=1).out
