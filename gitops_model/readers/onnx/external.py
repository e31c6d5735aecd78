"""External data: where a TensorProto says that its bytes are (onnx.proto, `TensorProto.external_data`)."""

from gitops_model.errors import BadFile, Problem
from gitops_model.ir import Span
from gitops_model.readers.onnx.reading import Reading

LARGEST_OFFSET = 2**63 - 1


def external(reading: Reading, entries: dict[str, str], nbytes: int, name: str) -> Span:
    """The place of a tensor's `nbytes` bytes.

    Raises GM601 for a location that leaves the model's folder, GM002 for an offset that is none, GM007 for a stated
    length that is not the tensor's, GM001 where the other file is too short. That it is not there at all is only noted:
    the description of the model is complete without it.
    """
    location = normal(entries.get("location", ""), name)
    offset = number(entries.get("offset", "0"), "offset", name)
    if "length" in entries:
        length = number(entries["length"], "length", name)
        if length != nbytes:
            raise BadFile(
                Problem(
                    "GM007",
                    f"external data of tensor {name!r} has the wrong length",
                    expected=f"{nbytes} bytes",
                    found=f"{length} bytes",
                )
            )
    size = reading.size_of(location)
    if size is not None and offset + nbytes > size:
        raise BadFile(
            Problem(
                "GM001",
                f"external data {location!r} ends at byte {size}, but tensor {name!r} needs {nbytes} bytes at {offset}",
                expected=f"at least {offset + nbytes} bytes",
                found=f"{size} bytes",
            )
        )
    return Span(offset, nbytes, location)


def number(text: str, key: str, name: str) -> int:
    """A decimal number of bytes; `int` alone would also take ` 1_0`, `-1` and Arabic digits."""
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > LARGEST_OFFSET:
        raise BadFile(
            Problem("GM002", f"external data of tensor {name!r}: {key} is no number of bytes", found=repr(text[:40]))
        )
    return int(text)


def normal(location: str, name: str) -> str:
    """The location without `.` and doubled slashes; GM601 where it could leave the model's folder on any system."""
    parts = [part for part in location.split("/") if part not in ("", ".")]
    why = None
    if not parts:
        why = "names no file"
    elif location.startswith("/"):
        why = "is absolute"
    elif ".." in parts:
        why = "goes up"
    elif "\\" in location:
        why = "has a backslash"
    elif location[1:2] == ":" and location[0].isalpha():
        why = "has a drive letter"
    elif "\0" in location:
        why = "has a NUL"
    if why:
        raise BadFile(
            Problem(
                "GM601",
                f"external data of tensor {name!r}: the location {why}",
                expected="a path inside the model's folder",
                found=repr(location[:200]),
            )
        )
    return "/".join(parts)
