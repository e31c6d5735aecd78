"""`check --fix` changes the digits of digests, and not one other byte."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gitrepo import GitRepo
from support.small_models import OTHER_SAFETENSORS, SAFETENSORS, manifest, pointer, sha256

from gitops_model.errors import CouldNotRun
from gitops_model.pipeline import fix as module
from gitops_model.pipeline.fix import Fixed, fix
from gitops_model.pipeline.replace import create, replace

Factory = Callable[..., GitRepo]
WRONG = "0" * 64


def run(folder: Path, *paths: str) -> Fixed:
    return fix(str(folder), os.environ, paths=paths)


def codes(fixed: Fixed) -> list[str]:
    return [finding.code for finding in fixed.report.findings]


def test_nothing_to_fix_writes_nothing(git_repo: Factory) -> None:
    repo = git_repo("repo", files={"w.bin": b"1", "model.yaml": manifest(w_dot_bin=b"1")})
    before = (repo.path / "model.yaml").stat()
    fixed = run(repo.path)
    assert (fixed.written, codes(fixed)) == ((), [])
    assert (repo.path / "model.yaml").stat() == before


@pytest.mark.parametrize("named", [(), (".",), ("a",), ("a/model.yaml",), ("a/w.safetensors",)])
def test_the_manifest_is_mended_and_not_staged(git_repo: Factory, named: tuple[str, ...]) -> None:
    repo = git_repo("repo", files={"a/w.safetensors": SAFETENSORS, "a/model.yaml": manifest(w_dot_safetensors=b"")})
    fixed = run(repo.path, *named)
    assert (fixed.written, codes(fixed)) == (("a/model.yaml",), [])
    assert repo.git("status", "--porcelain") == " M a/model.yaml"
    assert (repo.path / "a/model.yaml").read_text() == manifest(w_dot_safetensors=SAFETENSORS)


LAYOUTS = {
    "flow": "w.bin: {sha256: HEX}",
    "quotes": '\'w.bin\': {"sha256": "HEX"}   # comment HEX',
    "single": "w.bin:\n    sha256:   'HEX'",
    "block": "w.bin:\n\n    # sha256: HEX\n    sha256:\n      HEX\n    blake3: HEX",
    "anchor": "w.bin: {sha256: &x HEX}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_only_the_digits_change(tmp_path: Path, layout: str, end: str, mark: bytes) -> None:
    text = (
        f"# é comment\nname:   m\nversion: 1.0.0\narchitecture: [ amd64 ]\nchecksums:\n  {LAYOUTS[layout]}\n".replace(
            "HEX", WRONG
        )
    )
    before = mark + text.replace("\n", end).encode()
    (tmp_path / "w.bin").write_bytes(b"1")
    path = tmp_path / "model.yaml"
    path.write_bytes(before)
    path.chmod(0o640)
    fixed = run(tmp_path, "model.yaml")
    assert (fixed.written, codes(fixed)) == (("model.yaml",), [])
    after = path.read_bytes()
    assert len(after) == len(before)
    places = [index for index in range(len(before)) if before[index] != after[index]]
    assert after.replace(sha256(b"1").encode(), WRONG.encode(), 1).count(WRONG.encode()) >= text.count(WRONG) - 1
    assert places[-1] - places[0] < 64 or "blake3" in text
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_replaced_alone_stays_a_finding(tmp_path: Path) -> None:
    text = manifest().replace("checksums:\n", f"checksums:\n  w.bin: &a {{sha256: {WRONG}}}\n  v.bin: *a\n")
    for name, content in {"w.bin": "1", "v.bin": "2", "model.yaml": text}.items():
        (tmp_path / name).write_text(content)
    fixed = run(tmp_path, ".")
    assert (fixed.written, codes(fixed)) == ((), ["GM201", "GM201"])
    assert all("alias" in finding.message for finding in fixed.report.findings)
    assert (tmp_path / "model.yaml").read_text() == text


def test_what_is_not_here_stays_as_it_is(git_repo: Factory) -> None:
    text = manifest(w_dot_safetensors=OTHER_SAFETENSORS).replace("{sha256", f"{{blake3: {WRONG}, sha256")
    repo = git_repo("repo", files={"w.safetensors": pointer(SAFETENSORS), "model.yaml": text})
    fixed = run(repo.path)
    assert (fixed.written, codes(fixed)) == (("model.yaml",), ["GM003"])
    expected = text.replace(sha256(OTHER_SAFETENSORS), sha256(SAFETENSORS))
    assert (repo.path / "model.yaml").read_text() == expected


def test_other_faults_are_reported_and_left(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"1")
    text = manifest(w_dot_bin=b"2").replace("1.0.0", "v1")
    (tmp_path / "model.yaml").write_text(text)
    fixed = run(tmp_path, ".")
    assert (fixed.written, codes(fixed)) == (("model.yaml",), ["GM105"])
    assert (tmp_path / "model.yaml").read_text() == text.replace(sha256(b"2"), sha256(b"1"))


def test_files_are_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    (tmp_path / "w.bin").write_bytes(b"1" * 1000)
    (tmp_path / "model.yaml").write_text(manifest(w_dot_bin=b"2"))
    fix(str(tmp_path), os.environ, paths=["."], progress=hashed.append)
    assert sum(hashed) == 1000


def test_a_manifest_that_changes_meanwhile_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.bin").write_bytes(b"1")
    path = tmp_path / "model.yaml"
    path.write_text(manifest(w_dot_bin=b"2"))

    def late(root: str, name: str, before: bytes, after: bytes) -> None:
        path.write_text("somebody else's")
        replace(root, name, before, after)

    monkeypatch.setattr(module, "replace", late)
    with pytest.raises(CouldNotRun, match="changed"):
        run(tmp_path, ".")
    assert path.read_text() == "somebody else's"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["model.yaml", "w.bin"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "model.yaml").write_bytes(b"old")
    (tmp_path / "folder").symlink_to(real)
    (tmp_path / "link.yaml").symlink_to(real / "model.yaml")
    for path in ("folder/model.yaml", "link.yaml"):
        with pytest.raises(CouldNotRun):
            replace(str(tmp_path), path, b"old", b"new")
        with pytest.raises(CouldNotRun):
            create(str(tmp_path), path, b"new", over=True)
    assert (real / "model.yaml").read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CouldNotRun, match="No space"):
        replace(str(tmp_path), "f", b"old", b"new")
    assert [item.name for item in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"old"


@settings(max_examples=40)
@given(
    contents=st.lists(st.binary(max_size=20), min_size=1, max_size=4),
    quote=st.sampled_from(["", "'", '"']),
    names=st.lists(st.sampled_from(["sha256", "sha512", "blake3"]), min_size=1, max_size=3, unique=True),
)
def test_after_a_fix_there_is_nothing_to_fix(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], quote: str, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("fix")
    lines = ["name: é", "version: 1.0.0", "architecture: amd64", "checksums:"]
    for number, content in enumerate(contents):
        (folder / f"{number}.bin").write_bytes(content)
        digests = ", ".join(f"{name}: {quote}{'0' * (128 if name == 'sha512' else 64)}{quote}" for name in names)
        lines.append(f"  {number}.bin: {{{digests}}}")
    (folder / "model.yaml").write_text("\n".join(lines).replace("name: é", "name: m # é"))
    first = run(folder, ".")
    assert (first.written, codes(first)) == (("model.yaml",), [])
    second = run(folder, ".")
    assert (second.written, codes(second)) == ((), [])
