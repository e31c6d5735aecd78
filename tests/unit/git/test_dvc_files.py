"""What DVC 3.67 wrote, and what nobody should write."""

import pytest

from gitops_model.git.dvc import Out, parse
from gitops_model.git.dvc_names import is_pointer_path

A, B = "63f4f1e9b725370f459720575cd5f953", "9336ebf25087d91c818ee6e9ec29f8c1"
FILE = f"outs:\n- md5: {A}\n  size: 7\n  hash: md5\n  path: m.onnx\n"
FOLDER = f"outs:\n- md5: {A}.dir\n  size: 2\n  nfiles: 2\n  hash: md5\n  path: d\n"
LOCK = f"""\
schema: '2.0'
stages:
  train:
    cmd: printf xx > out.safetensors
    deps:
    - path: m.onnx
      hash: md5
      md5: {A}
      size: 7
    outs:
    - path: out.safetensors
      hash: md5
      md5: {B}
      size: 2
  other:
    cmd: true
    outs:
    - path: sub/x.npz
      md5: {A}
"""

UNDERSTOOD = {
    "a file": (FILE, [Out("models/m.onnx", A, 7)]),
    "DVC 2": (FILE.replace("  hash: md5\n", ""), [Out("models/m.onnx", A, 7)]),
    "no size": (FILE.replace("  size: 7\n", ""), [Out("models/m.onnx", A, None)]),
    "a folder": (FOLDER, [Out("models/d", A, 2, is_folder=True)]),
    "a lock": (LOCK, [Out("models/out.safetensors", B, 2), Out("models/sub/x.npz", A, None)]),
    "indented list": (FILE.replace("\n", "\n  "), [Out("models/m.onnx", A, 7)]),
    "imported": (
        f"md5: {B}\nfrozen: true\ndeps:\n- path: m\n  repo:\n    url: https://x\n    rev_lock: abc\n  md5: {B}\n{FILE}",
        [Out("models/m.onnx", A, 7)],
    ),
    "quoted": (FILE.replace("m.onnx", "'it''s #1.onnx'"), [Out("models/it's #1.onnx", A, 7)]),
    "comment": (FILE.replace("m.onnx", "m.onnx  # the model"), [Out("models/m.onnx", A, 7)]),
    "keys after": (FILE + "meta:\n  md5: x\n  path: y\n", [Out("models/m.onnx", A, 7)]),
    "nested keys": (FILE + f"  files:\n  - md5: {B}\n    path: z\n", [Out("models/m.onnx", A, 7)]),
    "working directory": ("wdir: ../data\n" + FILE, [Out("data/m.onnx", A, 7)]),
    "two": (FILE + f"- md5: {B}\n  path: n.onnx\n", [Out("models/m.onnx", A, 7), Out("models/n.onnx", B, None)]),
}


@pytest.mark.parametrize("text, outs", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_understood(text: str, outs: list[Out]) -> None:
    assert list(parse(text.encode(), "models/m.onnx.dvc")) == outs


NOT_UNDERSTOOD = {
    "empty": "",
    "no list": "outs: 7\n",
    "flow style": f"outs: [{{md5: {A}, path: m.onnx}}]\n",
    "alias": f"outs:\n- md5: {A}\n  path: *x\n",
    "tag": f"outs:\n- md5: {A}\n  path: !!python/object x\n",
    "escape": f'outs:\n- md5: {A}\n  path: "\\x2e\\x2e/x"\n',
    "block": f"outs:\n- md5: {A}\n  path: |\n",
    "outside": f"outs:\n- md5: {A}\n  path: ../../x\n",
    "absolute": f"outs:\n- md5: {A}\n  path: /etc/passwd\n",
    "a remote": f"outs:\n- etag: {A}\n  path: s3://bucket/m.onnx\n",
    "upper-case md5": FILE.replace(A, A.upper()),
    "short md5": FILE.replace(A, A[:-1]),
    "no path": f"outs:\n- md5: {A}\n",
}


@pytest.mark.parametrize("text", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_not_understood(text: str) -> None:
    assert parse(text.encode(), "models/m.onnx.dvc") == ()


def test_bytes_that_are_no_text() -> None:
    assert parse(b"outs:\n\xff\xfe", "m.dvc") == ()


def test_a_million_brackets_cost_nothing() -> None:
    assert parse(b"[" * 1_000_000, "m.dvc") == ()
    assert parse(b"outs:\n" + b"- " * 500_000, "m.dvc") == ()
    assert len(parse(b"outs:\n" + f"- md5: {A}\n  path: x\n".encode() * 20_000, "m.dvc")) == 20_000


@pytest.mark.parametrize("size", ["-1", "1e3", "٣", "9" * 30, "0x7"])
def test_a_size_that_is_no_number(size: str) -> None:
    assert parse(FILE.replace("size: 7", f"size: {size}").encode(), "m.dvc")[0].size is None


def test_names() -> None:
    assert [is_pointer_path(name) for name in ("m.onnx.dvc", "a/dvc.lock", ".dvc", "a/.dvc", "dvc", "m.dvc/x")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
