"""Symbols, versions and dynamic entries of real libraries, as binutils' readelf reads them."""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from gitops_model.blob import Blob
from gitops_model.gpu.elf import Dynamic, read_dynamic, read_elf
from gitops_model.gpu.symbols import Symbol, read_symbols


def libraries() -> list[Path]:
    """Extension modules and libraries of what the tests need anyway, the largest and a few of every package."""
    found: list[Path] = []
    for name in ("numpy", "onnx", "onnxruntime", "pygit2", "yaml", "blake3"):
        spec = find_spec(name)
        assert spec is not None
        places = spec.submodule_search_locations or []
        files = [path for place in places for path in Path(place).rglob("*.so*") if path.is_file()]
        found += sorted(files, key=lambda path: -path.stat().st_size)[:3]
    standard = Path(sysconfig.get_path("platstdlib"), "lib-dynload")
    return [*found, *sorted(standard.glob("_ssl*.so"))]


def ours(path: Path) -> tuple[Dynamic, list[Symbol]]:
    with Blob.of_file(path) as blob:
        elf = read_elf(blob)
        dynamic = read_dynamic(blob, elf)
        assert dynamic is not None
        return dynamic, list(read_symbols(blob, elf, dynamic))


def readelf(tool: Path, *arguments: str) -> str:
    done = subprocess.run([tool, "-W", *arguments], capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    return done.stdout


@pytest.mark.parametrize("path", libraries(), ids=lambda path: path.name)
def test_dynamic_entries(require_tool: Callable[[str], Path], path: Path) -> None:
    text = readelf(require_tool("readelf"), "-d", str(path))
    dynamic, _ = ours(path)

    def told(tag: str) -> list[str]:
        return re.findall(rf"\({tag}\)\s+.*\[(.*)\]$", text, re.MULTILINE)

    assert list(dynamic.needed) == told("NEEDED")
    assert [dynamic.soname] == (told("SONAME") or [None])
    assert ":".join(dynamic.runpath) == ":".join(told("RUNPATH"))
    assert ":".join(dynamic.rpath) == ":".join(told("RPATH"))


ROW = re.compile(
    r"^ +\d+: [0-9a-f]+ +\S+ +\S+ +(?P<binding>GLOBAL|WEAK|UNIQUE|<OS specific>: 10) +\S+ +(?P<section>\S+) "
    r"(?P<name>[^@\s]+)(?P<at>@@?)?(?P<version>[^\s(]+)?(?: \(\d+\))?$",
    re.MULTILINE,
)


@pytest.mark.parametrize("path", libraries(), ids=lambda path: path.name)
def test_symbols_and_versions(require_tool: Callable[[str], Path], path: Path) -> None:
    text = readelf(require_tool("readelf"), "--dyn-syms", str(path))
    theirs = [
        (row["name"], row["version"], row["section"] != "UND", row["binding"] == "WEAK") for row in ROW.finditer(text)
    ]
    _, symbols = ours(path)
    # readelf shows the symbol that stands for a version without the version
    found = [(name, None if name == version else version, defined, weak) for name, version, _, defined, weak in symbols]
    assert found == theirs
    assert found, path


def test_libraries_are_there() -> None:
    assert len(libraries()) >= 8
    assert sys.platform == "linux"
