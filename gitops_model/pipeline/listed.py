"""Which whole-file digests the manifests of a place list for a file, so that `record` computes those and no others."""

from gitops_model.errors import BadFile
from gitops_model.git.entries import Entry, Place
from gitops_model.git.paths import folder_of, raw
from gitops_model.git.repository import Repository


class Listed:
    """Looks for manifests in the folder of a file and in those above it; parses those that hold the file's name."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._place: Place | None = None
        self._folders: dict[str, dict[str, bytes]] = {}
        self._parsed: dict[str, dict[str, set[str]]] = {}

    def algorithms(self, place: Place, path: str) -> set[str]:
        """`sha256`, `sha512`, `blake3`: those that a manifest lists for the file at `path`."""
        if place != self._place:
            self._place, self._folders, self._parsed = place, {}, {}
        name = raw(path.rpartition("/")[2])
        found: set[str] = set()
        folder = path
        while folder:
            folder = folder_of(folder)
            below = path[len(folder) + 1 if folder else 0 :]
            for manifest, content in self._manifests(place, folder).items():
                if name in content:
                    found |= self._listed(manifest, content).get(below, set())
        return found

    def _manifests(self, place: Place, folder: str) -> dict[str, bytes]:
        if folder not in self._folders:
            self._folders[folder] = {
                entry.path: self._content(entry, place)
                for entry in self._repository.folder(place, folder)
                if entry.path.endswith("model.yaml") and entry.is_regular
            }
        return self._folders[folder]

    def _content(self, entry: Entry, place: Place) -> bytes:
        from gitops_model.manifest import MAX_SIZE, is_manifest_path  # most folders have no manifest

        if not is_manifest_path(entry.path):
            return b""
        try:
            with self._repository.blob(entry, place) as blob:
                return blob.read(0, blob.size) if blob.size <= MAX_SIZE else b""
        except BadFile:
            return b""  # `check` says what is wrong with a manifest

    def _listed(self, manifest: str, content: bytes) -> dict[str, set[str]]:
        if manifest not in self._parsed:
            from gitops_model.blob import Blob
            from gitops_model.manifest import load

            parsed, _ = load(Blob.of_bytes(manifest, content))
            files = parsed.checksums if parsed is not None else {}
            self._parsed[manifest] = {
                name: {digest.algorithm for digest in listed.digests} for name, listed in files.items()
            }
        return self._parsed[manifest]
