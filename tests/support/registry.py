"""A container registry on loopback: serves images, asks for a token, and can be told to misbehave."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Images:
    """Blobs and tags; `image` adds one and gives its manifest's descriptor."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.tags: dict[str, str] = {}

    def add(self, value: object, media_type: str) -> dict[str, Any]:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        digest = digest_of(data)
        self.blobs[digest] = data
        self.types[digest] = media_type
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def image(
        self, env: dict[str, str], architecture: str = "amd64", labels: dict[str, str] | None = None
    ) -> dict[str, Any]:
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": [f"{name}={value}" for name, value in env.items()], "Labels": labels},
        }
        layer = self.add(b"a layer that nobody reads", "application/vnd.oci.image.layer.v1.tar+gzip")
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [layer],
        }
        return {**self.add(manifest, MANIFEST), "platform": {"architecture": architecture, "os": "linux"}}

    def index(self, *manifests: dict[str, Any]) -> dict[str, Any]:
        return self.add({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(manifests)}, INDEX)

    def layout(self, *named: dict[str, Any]) -> dict[str, bytes]:
        """The files of an OCI image layout."""
        files = {f"blobs/{digest.replace(':', '/')}": data for digest, data in self.blobs.items()}
        files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
        files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": list(named)}).encode()
        return files


class FakeRegistry:
    """`answers` maps a path to (status, headers, body) instead of what would be served; `seen` is every request."""

    def __init__(self, images: Images, name: str, *, token: str | None = None, realm: str | None = None) -> None:
        self.images = images
        self.name = name
        self.token = token
        self.realm = realm
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.host = ""

    def serve(self, path: str, authorization: str | None) -> tuple[int, dict[str, str], bytes]:
        self.seen.append((path, authorization))
        if path in self.answers:
            return self.answers[path]
        if path.startswith("/token?"):
            return 200, {}, json.dumps({"token": self.token}).encode()
        if self.token is not None and authorization != f"Bearer {self.token}":
            realm = self.realm or f"http://{self.host}/token"
            challenge = f'Bearer realm="{realm}",service="fake",scope="repository:{self.name}:pull"'
            return 401, {"WWW-Authenticate": challenge}, b""
        prefix = f"/v2/{self.name}/"
        kind, _, version = path.removeprefix(prefix).partition("/")
        digest = self.images.tags.get(version, version)
        data = self.images.blobs.get(digest)
        if not path.startswith(prefix) or data is None or kind not in ("manifests", "blobs"):
            return 404, {}, b""
        return 200, {"Content-Type": self.images.types[digest], "Docker-Content-Digest": digest}, data

    @contextmanager
    def running(self) -> Iterator["FakeRegistry"]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = registry.serve(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.host = f"127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
