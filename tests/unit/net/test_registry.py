"""A registry is asked politely and believed in nothing."""

import pytest
from support.registry import FakeRegistry, Images, digest_of

from gitops_model.errors import BadFile, CouldNotRun
from gitops_model.net import registry as registry_module
from gitops_model.net.registry import Credentials, Reference, Registry, parse_reference

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "text, reference",
    [
        ("ubuntu", Reference("registry-1.docker.io", "library/ubuntu", "latest")),
        ("nvidia/cuda:12.4.1-base", Reference("registry-1.docker.io", "nvidia/cuda", "12.4.1-base")),
        ("docker.io/library/x", Reference("registry-1.docker.io", "library/x", "latest")),
        ("nvcr.io/nvidia/tritonserver:24.04-py3", Reference("nvcr.io", "nvidia/tritonserver", "24.04-py3")),
        ("localhost/x", Reference("localhost", "x", "latest")),
        ("127.0.0.1:5000/a/b:v1", Reference("127.0.0.1:5000", "a/b", "v1")),
        ("[::1]:5000/a", Reference("[::1]:5000", "a", "latest")),
        (f"ghcr.io/a/b@{DIGEST}", Reference("ghcr.io", "a/b", DIGEST)),
        (f"ghcr.io/a/b:v1@{DIGEST}", Reference("ghcr.io", "a/b", DIGEST)),
    ],
)
def test_references_are_split_as_docker_does(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", "UPPER", "a//b", "a:", "a:b:c", "a@sha256:00", "a@", "host.io/", "ho st.io/a", "host.io/../a", "u@h.io/a",
     "http://host.io/a", "host.io:x/a", "a\n", "a:b\n", "host.io/a?b", "host.io/a#b", "-a"],
)  # fmt: skip
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(CouldNotRun):
        parse_reference(text)


def images() -> Images:
    made = Images()
    made.tags["v1"] = made.image({"A": "1"})["digest"]
    return made


def client(server: FakeRegistry, **options: object) -> Registry:
    return Registry(parse_reference(f"{server.host}/{server.name}:v1"), **options)  # type: ignore[arg-type]


def test_a_manifest_and_a_blob_are_fetched() -> None:
    made = images()
    with FakeRegistry(made, "a/b").running() as server:
        assert client(server).manifest("v1", 10_000) == made.blobs[made.tags["v1"]]
        digest = digest_of(b"a layer that nobody reads")
        assert client(server).blob(digest, 10_000) == b"a layer that nobody reads"


def test_a_token_is_fetched_once() -> None:
    made = images()
    with FakeRegistry(made, "a/b", token="secret").running() as server:
        registry = client(server)
        registry.manifest("v1", 10_000)
        registry.manifest(made.tags["v1"], 10_000)
        assert [path.split("?")[0] for path, _ in server.seen] == [
            "/v2/a/b/manifests/v1", "/token", "/v2/a/b/manifests/v1", f"/v2/a/b/manifests/{made.tags['v1']}",
        ]  # fmt: skip
        assert server.seen[1] == ("/token?service=fake&scope=repository%3Aa%2Fb%3Apull", None)


def test_a_password_goes_to_the_token_service_alone() -> None:
    with FakeRegistry(images(), "a/b", token="secret").running() as server:
        client(server, credentials=Credentials("me", "pass")).manifest("v1", 10_000)
        assert [authorization for _, authorization in server.seen] == [None, "Basic bWU6cGFzcw==", "Bearer secret"]


def test_a_wrong_token_is_not_asked_for_again() -> None:
    with FakeRegistry(images(), "a/b", token="secret").running() as server:
        server.answers["/token?service=fake&scope=repository%3Aa%2Fb%3Apull"] = (200, {}, b'{"token": "other"}')
        with pytest.raises(CouldNotRun, match="denied"):
            client(server).manifest("v1", 10_000)
        assert len(server.seen) == 3


@pytest.mark.parametrize(
    "realm",
    ["https://example.com/token", "http://169.254.169.254/token", "file:///etc/passwd", "ftp://127.0.0.1/x", "token",
     "http://me:pass@127.0.0.1/token"],
)  # fmt: skip
def test_a_token_is_not_fetched_from_anywhere(realm: str) -> None:
    with (
        FakeRegistry(images(), "a/b", token="secret", realm=realm).running() as server,
        pytest.raises(CouldNotRun, match="refused"),
    ):
        client(server).manifest("v1", 10_000)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"token": 1}', b'{"token": "a\\nb"}', b"[" * 100_000])
def test_a_strange_token_is_refused(body: bytes) -> None:
    with FakeRegistry(images(), "a/b", token="secret").running() as server:
        server.answers["/token?service=fake&scope=repository%3Aa%2Fb%3Apull"] = (200, {}, body)
        with pytest.raises(CouldNotRun, match="no token"):
            client(server).manifest("v1", 10_000)


# --- redirects ------------------------------------------------------------------------------------------------------
def redirected(server: FakeRegistry, location: str) -> bytes:
    server.answers["/v2/a/b/manifests/v1"] = (307, {"Location": location}, b"")
    return client(server).manifest("v1", 10_000)


@pytest.mark.parametrize(
    "location",
    ["https://example.com/x", "http://example.com/x", "http://169.254.169.254/", "file:///etc/passwd", "ftp://127.0.0.1/x",
     "data:,x", "http://user@127.0.0.1/x"],
)  # fmt: skip
def test_a_redirect_to_another_scheme_or_off_loopback_is_refused(location: str) -> None:
    with FakeRegistry(images(), "a/b").running() as server, pytest.raises(CouldNotRun, match="refused"):
        redirected(server, location)


def test_a_redirect_takes_no_token_along() -> None:
    made = images()
    with (
        FakeRegistry(made, "a/b").running() as storage,
        FakeRegistry(made, "a/b", token="secret").running() as server,
    ):
        registry = client(server)
        registry.manifest("v1", 10_000)
        digest = digest_of(b"a layer that nobody reads")
        server.answers[f"/v2/a/b/blobs/{digest}"] = (
            307,
            {"Location": f"http://{storage.host}/v2/a/b/blobs/{digest}"},
            b"",
        )
        assert registry.blob(digest, 100) == b"a layer that nobody reads"
        assert storage.seen == [(f"/v2/a/b/blobs/{digest}", None)]
        assert server.seen[-1] == (f"/v2/a/b/blobs/{digest}", "Bearer secret")


def test_a_relative_redirect_keeps_the_token() -> None:
    made = images()
    with FakeRegistry(made, "a/b", token="secret").running() as server:
        registry = client(server)
        registry.manifest("v1", 10_000)
        server.answers["/v2/a/b/manifests/v2"] = (302, {"Location": "v1"}, b"")
        assert registry.manifest("v2", 10_000) == made.blobs[made.tags["v1"]]


def test_circles_of_redirects_end() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        with pytest.raises(CouldNotRun, match="redirects more than"):
            redirected(server, "v1")
        assert len(server.seen) == registry_module.MAX_REDIRECTS + 1


# --- what comes back ------------------------------------------------------------------------------------------------
def test_bytes_that_do_not_fit_their_digest_are_refused() -> None:
    made = images()
    with FakeRegistry(made, "a/b").running() as server:
        made.blobs[DIGEST], made.types[DIGEST] = b"other", "x"
        for fetch in (client(server).manifest, client(server).blob):
            with pytest.raises(BadFile) as caught:
                fetch(DIGEST, 100)
            assert caught.value.problem.code == "GM201"


def test_a_tag_must_fit_the_digest_that_the_server_names() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        server.answers["/v2/a/b/manifests/v1"] = (200, {"Docker-Content-Digest": DIGEST}, b"{}")
        with pytest.raises(BadFile) as caught:
            client(server).manifest("v1", 100)
        assert caught.value.problem.code == "GM201"


def test_more_than_the_limit_is_not_kept() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        server.answers["/v2/a/b/manifests/v1"] = (200, {}, bytes(1_000_000))
        with pytest.raises(BadFile) as caught:
            client(server).manifest("v1", 999_999)
        assert caught.value.problem.code == "GM005"


def test_an_answer_that_breaks_off_is_noticed() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        server.answers["/v2/a/b/manifests/v1"] = (200, {"Content-Length": "100"}, b"{}")
        with pytest.raises(CouldNotRun, match="broke off"):
            client(server, timeout=5).manifest("v1", 1000)


@pytest.mark.parametrize(
    "status, words", [(403, "denied"), (404, "there is no manifests v1"), (500, "answers 500"), (204, "answers 204")]
)
def test_a_refusal_says_what_happened(status: int, words: str) -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        server.answers["/v2/a/b/manifests/v1"] = (status, {}, b"")
        with pytest.raises(CouldNotRun, match=words):
            client(server).manifest("v1", 100)


@pytest.mark.parametrize(
    "challenge", ["", "Basic", "Negotiate", "Bearer", 'Bearer service="x"', "Bearer realm=unquoted"]
)
def test_a_challenge_that_cannot_be_met_is_a_denial(challenge: str) -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        server.answers["/v2/a/b/manifests/v1"] = (401, {"WWW-Authenticate": challenge}, b"")
        with pytest.raises(CouldNotRun, match="denied"):
            client(server).manifest("v1", 100)


def test_a_server_that_is_not_there_is_no_bug() -> None:
    with FakeRegistry(images(), "a/b").running() as server:
        gone = client(server)
    with pytest.raises(CouldNotRun, match="cannot be reached"):
        gone.manifest("v1", 100)


def test_time_is_limited() -> None:
    with FakeRegistry(images(), "a/b").running() as server, pytest.raises(CouldNotRun, match="longer than 0 s"):
        client(server, deadline=0).manifest("v1", 100)
