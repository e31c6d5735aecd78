"""Tensors inside deflated archives: inflated in steps, once, and no further than declared."""

import random
import zlib
from collections.abc import Iterable

import pytest
from support.tensor_bytes import got, refused

from gitops_model.blob import Blob, NoSource
from gitops_model.errors import BadFile
from gitops_model.ir import Deflated, Span, Strided
from gitops_model.readers.bytes import TensorBytes
from gitops_model.readers.locators import inflate
from gitops_model.readers.locators import inflate as inflating


def deflated(content: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


PLAIN = random.Random(5).randbytes(50_000) + bytes(200_000)
PACKED = deflated(PLAIN)


@pytest.mark.parametrize("offset, length", [(0, 250_000), (0, 10), (49_990, 20), (249_999, 1), (5, 0), (250_000, 0)])
@pytest.mark.parametrize("chunk", [1000, 1 << 20])
def test_a_deflated_span_is_inflated_in_steps(
    monkeypatch: pytest.MonkeyPatch, chunk: int, offset: int, length: int
) -> None:
    monkeypatch.setattr(inflate, "CHUNK", chunk)
    locator = Deflated(Span(3, len(PACKED)), offset, length, len(PLAIN))
    assert got(b"xyz" + PACKED + b"xyz", locator) == PLAIN[offset : offset + length]


def test_views_of_one_deflated_storage_inflate_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    plain = inflating.inflate

    def counting(blob: Blob, locator: Deflated) -> Iterable[bytes]:
        opened.append(locator)
        return plain(blob, locator)

    monkeypatch.setattr(inflating, "inflate", counting)
    base = Deflated(Span(0, len(PACKED)), 0, len(PLAIN), len(PLAIN))
    with TensorBytes(Blob.of_bytes("m", PACKED), NoSource()) as data:
        for row in range(20):
            view = Strided(base, 1, row, (100,), (500,))
            assert b"".join(map(bytes, data.chunks(view))) == PLAIN[row : row + 50_000 : 500]
    assert len(opened) == 1


@pytest.mark.parametrize(
    "packed, locator",
    [
        (PACKED, Deflated(Span(0, len(PACKED)), 0, 10, len(PLAIN) - 1)),
        (PACKED, Deflated(Span(0, len(PACKED)), 0, 10, len(PLAIN) + 1)),
        (PACKED, Deflated(Span(0, len(PACKED) - 1), 0, 10, len(PLAIN))),
        (PACKED, Deflated(Span(0, len(PACKED)), 10, len(PLAIN), len(PLAIN))),
        (PACKED, Deflated(Span(0, len(PACKED)), -1, 1, len(PLAIN))),
        (b"\xff" * 100, Deflated(Span(0, 100), 0, 10, 10)),
        (b"", Deflated(Span(0, 0), 0, 0, 0)),
    ],
)
def test_a_packed_stream_that_is_not_what_it_declares_is_refused(packed: bytes, locator: Deflated) -> None:
    assert refused(packed, locator).code == "GM002"


def test_a_bomb_is_stopped_at_what_it_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    bomb = deflated(bytes(64 << 20))

    def walk() -> None:
        with TensorBytes(Blob.of_bytes("m", bomb), NoSource()) as data:
            given.extend(len(chunk) for chunk in data.chunks(Deflated(Span(0, len(bomb)), 0, 1000, 1000)))

    with pytest.raises(BadFile):
        walk()
    assert sum(given) <= 1000
