"""The manifest: its published schema (schema.json), and a loader that says where everything stands.

manifest, problems = load(blob)
"""

from gitops_model.manifest.load import MAX_SIZE, load
from gitops_model.manifest.model import Declared, Digest, Listed, Manifest
from gitops_model.manifest.names import is_manifest_path
from gitops_model.manifest.text import Place

__all__ = ["MAX_SIZE", "Declared", "Digest", "Listed", "Manifest", "Place", "is_manifest_path", "load"]
