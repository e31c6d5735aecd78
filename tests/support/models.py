"""The real models that tests, benchmarks and the demo work on: files inside pinned wheels (tests/data/models.lock).

    python tests/support/models.py fetch              download what is missing; says in one line what it cannot get
    python tests/support/models.py path REQ MEMBER    print the path of one extracted file

Wheels are downloaded by pip with their hash required, checked again when a file is taken out, and only ever unzipped.
They stay in $GITOPS_MODEL_CACHE, else $XDG_CACHE_HOME/gitops-model, else ~/.cache/gitops-model,
else (where that cannot be written) .cache of the checkout.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

LOCK = Path(__file__).parents[1] / "data" / "models.lock"


class Unavailable(Exception):
    """A pinned wheel is not here and cannot be had."""


class Pin(NamedTuple):
    """One line of the lock: `name==version`, and the SHA-256 of its wheel."""

    requirement: str
    sha256: str

    @property
    def folder(self) -> Path:
        return CACHE / "wheels" / self.requirement.replace("==", "-")


def _cache() -> Path:
    named = os.environ.get("GITOPS_MODEL_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path("~/.cache").expanduser()) / "gitops-model"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return LOCK.parents[2] / ".cache"
    return folder


# Read once, when this module is imported: conftest gives the tests a HOME of their own afterwards.
CACHE = _cache()


def pins(lock: Path = LOCK) -> dict[str, Pin]:
    """Every line of a lock, by its `name==version`."""
    found: dict[str, Pin] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, digest = line.split(" --hash=sha256:")
            found[requirement] = Pin(requirement, digest.strip())
    return found


def model_file(package: str, path: str) -> Path:
    """The file `path` of the wheel `package` (`name==version`), extracted; raises `Unavailable`."""
    return member(pins()[package], path)


def member(pin: Pin, path: str) -> Path:
    """The file `path` of a pinned wheel that is in the cache, extracted; raises `Unavailable`."""
    target = CACHE / "members" / pin.sha256[:16] / PurePosixPath(path)
    if not target.exists():
        with zipfile.ZipFile(_wheel(pin)) as archive:
            _extract(archive, path, target)
    return target


def model_files(*suffixes: str) -> list[tuple[str, str]]:
    """(package, path) of every file with one of the suffixes, for `pytest.mark.parametrize`; needs no network.

    A wheel that is not in the cache contributes nothing: `make test` fetches all of them first, and with CI=true a
    wheel that is missing is an error here.
    """
    found: list[tuple[str, str]] = []
    for pin in pins().values():
        wheel = next(iter(sorted(pin.folder.glob("*.whl"))), None)
        if wheel is None:
            if os.environ.get("CI") == "true":
                raise Unavailable(f"{pin.requirement} is not in {CACHE}: run `make models`")
            continue
        with zipfile.ZipFile(wheel) as archive:
            found += [(pin.requirement, name) for name in sorted(archive.namelist()) if name.endswith(suffixes)]
    return found


def fetch(pin: Pin) -> Path:
    """Download one wheel unless it is there; returns its path, raises `Unavailable`."""
    with contextlib.suppress(Unavailable):
        return _wheel(pin)
    pin.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=pin.folder.parent) as scratch:
        listing = Path(scratch) / "requirement.txt"
        listing.write_text(f"{pin.requirement} --hash=sha256:{pin.sha256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--require-hashes", "--disable-pip-version-check", "--dest", f"{scratch}/wheel", "-r", str(listing)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["pip says nothing"]
            raise Unavailable(f"{pin.requirement}: {lines[-1]}")
        shutil.rmtree(pin.folder, ignore_errors=True)
        Path(scratch, "wheel").rename(pin.folder)
    return _wheel(pin)


def _wheel(pin: Pin) -> Path:
    for path in sorted(pin.folder.glob("*.whl")):
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == pin.sha256:
                return path
    raise Unavailable(f"{pin.requirement} is not in {CACHE}: run `make models`")


def _extract(archive: zipfile.ZipFile, name: str, target: Path) -> None:
    """Write one member to `target`, whole or not at all (several test workers may ask at once)."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ValueError(f"unsafe member name {name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(name) as source, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as sink:
        shutil.copyfileobj(source, sink)
    Path(sink.name).chmod(0o444)
    Path(sink.name).rename(target)


def _fetch_all() -> Iterator[str]:
    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(fetch, pin) for pin in pins().values()]:
            try:
                job.result()
            except Unavailable as error:
                yield str(error)


def main(words: list[str]) -> int:
    """`fetch` always returns 0: a model that is missing is the business of the test that wants it."""
    match words:
        case ["fetch"]:
            missing = list(_fetch_all())
            if missing:
                print(f"models: could not get {len(missing)} of {len(pins())}: {'; '.join(missing)}", file=sys.stderr)
            return 0
        case ["path", package, path]:
            print(model_file(package, path))
            return 0
        case _:
            print("usage: models.py fetch | path NAME==VERSION MEMBER", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
