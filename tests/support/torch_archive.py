"""A `torch.save` archive written by hand: as many small tensors as a test wants, without torch."""

import io
import struct
import zipfile
from collections.abc import Iterable

REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def tensor(key: str, count: int) -> bytes:
    """A float32 vector over a storage of its own (opcodes as torch writes them, protocol 2)."""
    storage = (
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + b"K" + bytes([count]) + b"tQ"
    )
    view = b"K\0" + b"K" + bytes([count]) + b"\x85" + b"K\1\x85" + b"\x89ccollections\nOrderedDict\n)R"
    return REBUILD + b"(" + storage + view + b"tR"


def archive(names: Iterable[str], count: int = 4) -> bytes:
    """A state dict whose tensor number i is filled with i."""
    out = io.BytesIO()
    items: list[bytes] = []
    with zipfile.ZipFile(out, "w") as file:
        for number, name in enumerate(names):
            items.append(text(name) + tensor(str(number), count))
            file.writestr(f"archive/data/{number}", struct.pack(f"<{count}f", *[number] * count))
        file.writestr("archive/data.pkl", b"\x80\x02}(" + b"".join(items) + b"u.")
        file.writestr("archive/version", "3\n")
    return out.getvalue()
