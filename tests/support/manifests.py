"""A model file with a manifest that is right about it, for tests that then make one thing wrong."""

import hashlib
from pathlib import Path

from support.gitrepo import GitRepo

SWIFT = ("swift-f0==0.2.0", "swift_f0/model.onnx")
SWIFT_NEXT = ("swift-f0==0.3.0", "swift_f0/model.onnx")
"""Two successive releases with the same inputs and outputs."""

_TEXT = """\
# kept by hand
name: swift
version: {version}
architecture: amd64
checksums:
  {name}: {{sha256: {digest}}}
inputs:
  audio: {{dtype: float32, shape: [1, samples]}}
  fmin: {{dtype: float32, shape: []}}
  fmax: {{dtype: float32, shape: []}}
outputs:
  pitch: {{dtype: float64, shape: [1, frames]}}
  confidence: {{dtype: float32, shape: [1, frames]}}
"""


def swift_manifest(content: bytes, name: str = "swift.onnx", version: str = "0.2.0") -> str:
    """The manifest of a swift-f0 model file with this content."""
    return _TEXT.format(name=name, version=version, digest=hashlib.sha256(content).hexdigest())


def add_swift(repo: GitRepo, source: Path, folder: str = "models", *, version: str = "0.2.0") -> None:
    """Write and stage a swift-f0 model with its manifest in `folder`."""
    content = source.read_bytes()
    repo.write(f"{folder}/swift.onnx", content)
    repo.write(f"{folder}/model.yaml", swift_manifest(content, version=version))
    repo.git("add", "--all", folder)
