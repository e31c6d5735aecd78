"""Paths that stand inside files: resolved by name, inside the root only."""

import pytest

from gitops_model.errors import BadFile
from gitops_model.git.paths import folder_of, raw, resolve, text

FINE = [
    ("", "w.bin", "w.bin"),
    ("models/a", "w.bin", "models/a/w.bin"),
    ("models/a", "../b/w.bin", "models/b/w.bin"),
    ("models/a", "../../w.bin", "w.bin"),
    ("models", "./x//w.bin", "models/x/w.bin"),
    ("models", "...", "models/..."),
    ("models", ".github/w", "models/.github/w"),
    ("", "a\\..\\w.bin", "a\\..\\w.bin"),
]

BAD = [
    ("", "", "GM601"),
    ("", "a\0b", "GM601"),
    ("", "a\ud800", "GM601"),
    ("", "/etc/passwd", "GM601"),
    ("models", "//etc/passwd", "GM601"),
    ("", "../w.bin", "GM601"),
    ("models/a", "../../../models/a/w.bin", "GM601"),
    ("models", "x/../../../w", "GM601"),
    ("models", "../.git/config", "GM601"),
    ("models", "../.GIT/config", "GM601"),
    ("models", ".", "GM602"),
    ("models", "..", "GM602"),
    ("models", "x/", "GM602"),
]


@pytest.mark.parametrize("folder, path, expected", FINE)
def test_resolved(folder: str, path: str, expected: str) -> None:
    assert resolve(folder, path) == expected


@pytest.mark.parametrize("folder, path, code", BAD)
def test_refused(folder: str, path: str, code: str) -> None:
    with pytest.raises(BadFile) as caught:
        resolve(folder, path)
    assert caught.value.problem.code == code


@pytest.mark.parametrize("name", [b"plain", "größe".encode(), b"\xff\xfe\x80", b"a\nb"])
def test_bytes_come_back(name: bytes) -> None:
    assert raw(text(name)) == name


def test_folder_of() -> None:
    assert [folder_of("a/b/c"), folder_of("c")] == ["a/b", ""]
