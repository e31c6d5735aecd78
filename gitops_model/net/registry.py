"""Documents and blobs of a container registry (opencontainers/distribution-spec: "Pulling manifests", "Pulling Blobs").

Read-only. HTTPS, or plain HTTP to a loopback address. A redirect may go to another host, but to no other scheme, and
takes no password or token along. What comes back is capped while it is read and must fit the digest it was asked by.
"""

import hashlib
import json
import re
import time
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO, NamedTuple, cast

from gitops_model.errors import BadFile, CouldNotRun, Problem

TIMEOUT = 15.0
"""Seconds that one read or connect may take."""
DEADLINE = 120.0
"""Seconds that one document may take in all."""
MAX_TOKEN = 1 << 20
MAX_REDIRECTS = 5
CHUNK = 1 << 16

ACCEPT = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# The grammar of github.com/distribution/reference: a first component with a dot, a colon or "localhost" is a host.
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*\Z")
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?\Z")
_CHALLENGE = re.compile(r'(\w+)="([^"\\]*)"')


class Reference(NamedTuple):
    """`docker.io/library/NAME:TAG`, split. `version` is a digest where there is one, else the tag."""

    host: str
    name: str
    version: str


def parse_reference(text: str) -> Reference:
    """Split an image reference as Docker does; CouldNotRun when it is none."""
    rest, at, digest = text.partition("@")
    first, slash, remainder = rest.partition("/")
    if slash and (first == "localhost" or any(sign in first for sign in ".:")):
        host, rest = first, remainder
    else:
        host = "docker.io"
    name, colon, tag = rest.partition(":")
    if host in ("docker.io", "index.docker.io"):
        host = "registry-1.docker.io"
        name = name if "/" in name else f"library/{name}"
    version = digest if at else tag if colon else "latest"
    good = _DIGEST.match(digest) if at else _TAG.match(version)
    if not _HOST.match(host) or not _NAME.match(name) or not good or (colon and not _TAG.match(tag)):
        raise CouldNotRun(f"{text!r} is no image reference", hint="HOST/NAME:TAG or HOST/NAME@sha256:…")
    return Reference(host, name, version)


class Credentials(NamedTuple):
    user: str
    password: str


class Registry:
    """One image of a registry. Trouble with the network or the server is CouldNotRun, a wrong digest is GM201."""

    def __init__(
        self,
        reference: Reference,
        *,
        credentials: Credentials | None = None,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
    ) -> None:
        self._reference = reference
        self._credentials = credentials
        self._timeout = timeout
        self._deadline = deadline
        self._authorization: str | None = None
        host = urllib.parse.urlsplit(f"//{reference.host}").hostname or ""
        self._scheme = "http" if host in _LOOPBACK else "https"
        # No handler for redirects, errors, files or FTP: each answer comes back as it is.
        self._opener = urllib.request.OpenerDirector()
        proxies = urllib.request.ProxyHandler({} if self._scheme == "http" else None)
        for handler in (proxies, urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
            self._opener.add_handler(handler)

    def manifest(self, version: str, limit: int) -> bytes:
        """The manifest or index under a tag or digest."""
        data, told = self._get(f"manifests/{version}", ACCEPT, limit)
        expected = version if _DIGEST.match(version) else told
        if expected is not None and _DIGEST.match(expected):
            _verify(data, expected)
        return data

    def blob(self, digest: str, limit: int) -> bytes:
        if not _DIGEST.match(digest):
            raise BadFile(Problem("GM002", "the digest of a blob is not sha256 or sha512 in hex", found=digest[:200]))
        data, _ = self._get(f"blobs/{digest}", "*/*", limit)
        _verify(data, digest)
        return data

    def copy(self, digest: str, sink: BinaryIO, limit: int) -> None:
        """Write a blob of at most `limit` bytes to `sink`; a layer gets a second per MiB beyond the usual deadline."""
        if not _DIGEST.match(digest):
            raise BadFile(Problem("GM002", "the digest of a blob is not sha256 or sha512 in hex", found=digest[:200]))
        algorithm, _, expected = digest.partition(":")
        found = hashlib.new(algorithm)
        path = f"blobs/{digest}"
        end = time.monotonic() + self._deadline + limit / (1 << 20)
        with self._ask(path, "*/*", end) as response:
            for part in self._parts(response, limit, end, path):
                found.update(part)
                sink.write(part)
        if found.hexdigest() != expected:
            raise BadFile(_mismatch(digest, f"{algorithm}:{found.hexdigest()}"))

    # --- requests --------------------------------------------------------------------------------------------------
    def _get(self, path: str, accept: str, limit: int) -> tuple[bytes, str | None]:
        end = time.monotonic() + self._deadline
        with self._ask(path, accept, end) as response:
            data = b"".join(self._parts(response, limit, end, path))
            return data, response.headers.get("Docker-Content-Digest")

    def _ask(self, path: str, accept: str, end: float) -> HTTPResponse:
        """The good answer to a request, after the challenge of the registry was met."""
        url = f"{self._scheme}://{self._reference.host}/v2/{self._reference.name}/{path}"
        response = self._follow(url, accept, end)
        if response.status == 401 and self._authorization is None:
            challenge = response.headers.get("WWW-Authenticate", "")
            response.close()
            self._authorization = self._answer(challenge, end)
            response = self._follow(url, accept, end)
        if response.status != 200:
            response.close()
            raise CouldNotRun(self._refusal(response.status, path), hint=self._hint(response.status))
        return response

    def _follow(self, url: str, accept: str, end: float) -> HTTPResponse:
        """The answer behind at most MAX_REDIRECTS redirects of the same scheme."""
        first = urllib.parse.urlsplit(url)
        for _ in range(MAX_REDIRECTS + 1):
            place = urllib.parse.urlsplit(url)
            headers = {"Accept": accept, "User-Agent": "gitops-model"}
            if self._authorization is not None and place.netloc == first.netloc:
                headers["Authorization"] = self._authorization
            response = self._open(url, headers, end)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            location = response.headers.get("Location", "")
            response.close()
            url = urllib.parse.urljoin(url, location)
            self._require_safe(url, "a redirect")
        raise CouldNotRun(f"{self._reference.host} redirects more than {MAX_REDIRECTS} times")

    def _require_safe(self, url: str, what: str) -> None:
        place = urllib.parse.urlsplit(url)
        loopback = place.hostname in _LOOPBACK
        if place.scheme != self._scheme or place.username is not None or (self._scheme == "http" and not loopback):
            raise CouldNotRun(f"{self._reference.host} sends {what} to {place.scheme}://{place.hostname}: refused")

    def _open(self, url: str, headers: dict[str, str], end: float) -> HTTPResponse:
        left = end - time.monotonic()
        if left <= 0:
            raise CouldNotRun(f"{self._reference.host} takes longer than {self._deadline:g} s")
        try:
            request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the scheme is checked
            return cast(HTTPResponse, self._opener.open(request, timeout=min(self._timeout, left)))
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise CouldNotRun(f"{self._reference.host} cannot be reached: {reason}") from error

    def _parts(self, response: HTTPResponse, limit: int, end: float, path: str) -> Iterator[bytes]:
        size = 0
        try:
            while part := response.read1(CHUNK):
                size += len(part)
                if size > limit:
                    raise BadFile(
                        Problem("GM005", f"{path} of the image is too large", expected=f"at most {limit} bytes")
                    )
                if time.monotonic() > end:
                    raise CouldNotRun(f"{self._reference.host} takes longer than it may")
                yield part
        except (OSError, HTTPException) as error:
            raise CouldNotRun(f"{self._reference.host} broke off: {error}") from error
        if response.length:
            raise CouldNotRun(f"{self._reference.host} broke off: {response.length} bytes are missing")

    def _answer(self, challenge: str, end: float) -> str:
        """The Authorization header that answers a challenge: a token, or name and password."""
        kind, _, rest = challenge.strip().partition(" ")
        basic = None
        if self._credentials is not None:
            user, password = self._credentials
            basic = "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")
        if kind.lower() == "basic" and basic is not None:
            return basic
        terms: dict[str, str] = {name: value for name, value in _CHALLENGE.findall(rest)}  # noqa: C416 - for its type
        if kind.lower() != "bearer" or "realm" not in terms:
            raise CouldNotRun(self._refusal(401, ""), hint=self._hint(401))
        realm = terms["realm"]
        self._require_safe(realm, "for a token")
        query = {name: terms[name] for name in ("service", "scope") if name in terms}
        join = "&" if urllib.parse.urlsplit(realm).query else "?"
        headers = {"Accept": "application/json", "User-Agent": "gitops-model"}
        if basic is not None:
            headers["Authorization"] = basic
        with self._open(f"{realm}{join}{urllib.parse.urlencode(query)}", headers, end) as response:
            if response.status != 200:
                raise CouldNotRun(self._refusal(response.status, "the token"), hint=self._hint(response.status))
            data = b"".join(self._parts(response, MAX_TOKEN, end, "the token"))
        try:
            answer = cast(object, json.loads(data))
        except (ValueError, RecursionError):
            answer = None
        row = cast(dict[str, object], answer) if isinstance(answer, dict) else {}
        token = row.get("token") or row.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise CouldNotRun(f"{self._reference.host} gives no token")
        return f"Bearer {token}"

    def _refusal(self, status: int, path: str) -> str:
        where = f"{self._reference.host}/{self._reference.name}"
        if status in (401, 403):
            return f"{where}: access is denied ({status})"
        if status == 404:
            return f"{where}: there is no {path.replace('/', ' ')}"
        return f"{where}: the registry answers {status} for {path}"

    def _hint(self, status: int) -> str | None:
        return "give credentials of the registry" if status in (401, 403) else None


def _verify(data: bytes, digest: str) -> None:
    algorithm, _, expected = digest.partition(":")
    found = hashlib.new(algorithm, data).hexdigest()
    if found != expected:
        raise BadFile(_mismatch(digest, f"{algorithm}:{found}"))


def _mismatch(expected: str, found: str) -> Problem:
    return Problem("GM201", "the registry sent something else than its digest says", expected=expected, found=found)
