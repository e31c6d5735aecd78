"""The zip reader against the standard library's: entries, places and contents of generated archives."""

import io
import zipfile
import zlib

from hypothesis import given
from hypothesis import strategies as st

from gitops_model.blob import Blob, NoSource
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.zip import Archive
from gitops_model.readers.zip_audit import audit

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\:"), min_size=1, max_size=20).filter(
    lambda name: not name.startswith("/") and ".." not in name.split("/")
)
METHODS = st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
ENTRIES = st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), METHODS, st.booleans()), max_size=6)


def written(entries: dict[str, tuple[bytes, int, bool]], comment: bytes, stub: bytes) -> bytes:
    out = io.BytesIO()
    out.write(stub)
    with zipfile.ZipFile(out, "a") as archive:
        for name, (content, method, large) in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=large) as entry:
                entry.write(content)
        archive.comment = comment
    return out.getvalue()


@given(ENTRIES, st.binary(max_size=40).filter(lambda text: b"PK" not in text), st.sampled_from((b"", b"#!/bin/sh\n")))
def test_entries_and_contents_are_those_of_the_standard_library(
    entries: dict[str, tuple[bytes, int, bool]], comment: bytes, stub: bytes
) -> None:
    data = written(entries, comment, stub)
    blob = Blob.of_bytes("a.zip", data)
    archive = Archive.open(blob)
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        assert [(e.name, e.method, e.crc, e.packed, e.size) for e in archive.all] == [
            (info.filename, info.compress_type, info.CRC, info.compress_size, info.file_size)
            for info in theirs.infolist()
        ]
        assert archive.problems == []
        assert audit(archive) == []
        with TensorBytes(blob, NoSource()) as source:
            for name, entry in archive.entries.items():
                content = theirs.read(name)
                assert archive.read(entry) == content
                assert b"".join(bytes(part) for part in source.chunks(archive.locate(entry))) == content
                half = len(content) // 2
                assert b"".join(bytes(part) for part in source.chunks(archive.locate(entry, half))) == content[half:]


@given(st.binary(min_size=1, max_size=200), METHODS, st.integers(0, 199))
def test_a_flipped_byte_of_the_content_is_found(content: bytes, method: int, place: int) -> None:
    data = bytearray(written({"a": (content, method, False)}, b"", b""))
    entry = Archive.open(Blob.of_bytes("a.zip", bytes(data))).all[0]
    span = Archive.open(Blob.of_bytes("a.zip", bytes(data))).place(entry)
    data[span.offset + place % span.length] ^= 1
    changed = Blob.of_bytes("a.zip", bytes(data))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as theirs:
        try:
            whole = theirs.read("a") == content  # a bit of deflate's padding means nothing
        except (zipfile.BadZipFile, EOFError, zlib.error):
            whole = False
    assert whole or audit(Archive.open(changed))
