"""The one comment of a review, through github3.py, on a GitHub that fails in every way it can."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.fake_github import BOT, FakeGitHub, Fault

from gitops_model.net.github import GitHub, NetworkTrouble, Refused
from gitops_model.sinks.github_comment import Marker, Outcome, marker_of, publish

OLD, NEW = "a" * 40, "b" * 40
COMMENTS = r"/issues/7/comments$"


@pytest.fixture(autouse=True)
def pull(github: FakeGitHub) -> None:
    github.add_pull(7, NEW)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(github: FakeGitHub, pauses: list[float]) -> GitHub:
    return GitHub("octo/models", github.token, github.url, timeouts=(2, 0.5), sleep=pauses.append)


def comment(client: GitHub, run: int = 5, text: str = "text", *, create: bool = True, attempt: int = 1) -> Outcome:
    return publish(client, 7, Marker("models", NEW, (run, attempt)), text, create=create)


# --- nothing to do ----------------------------------------------------------------------------------------------------
def test_nothing_changed_and_no_comment_is_there(github: FakeGitHub, client: GitHub) -> None:
    assert comment(client, create=False) == Outcome("none")
    assert github.count("POST", ".") == 0


def test_the_same_run_again_writes_nothing(github: FakeGitHub, client: GitHub) -> None:
    first = comment(client)
    assert comment(client) == Outcome("kept", first.id)
    assert (github.count("POST", "."), github.count("PATCH", ".")) == (1, 0)


def test_a_newer_run_was_here(github: FakeGitHub, client: GitHub) -> None:
    newer = comment(client, run=6)
    assert comment(client, run=5) == Outcome("superseded", newer.id)
    assert "run=6.1" in github.ours(7)[0]


def test_a_newer_attempt_of_the_same_run_was_here(github: FakeGitHub, client: GitHub) -> None:
    comment(client, attempt=10)
    assert comment(client, attempt=9).action == "superseded"


@pytest.mark.parametrize(
    "body",
    [
        "text\n<!-- gitops-model:models v1 sha=" + NEW + " run=9.1 -->",
        "<!-- gitops-model:other v1 sha=" + NEW + " run=9.1 -->\ntext",
        "<!-- gitops-model:models v2 sha=" + NEW + " run=9.1 -->\ntext",
        "<!-- gitops-model:models v1 sha=" + NEW + " run=-1.1 -->\ntext",
        "",
    ],
    ids=["not-first", "other-key", "other-version", "no-number", "empty"],
)
def test_a_comment_that_is_not_this_one_is_left_alone(github: FakeGitHub, client: GitHub, body: str) -> None:
    github.add_comment(7, body, BOT, bot=True)
    assert comment(client).action == "created"
    assert github.comments[7][0]["body"] == body


def test_a_person_who_copies_the_mark_stops_nothing(github: FakeGitHub, client: GitHub) -> None:
    copied = Marker("models", NEW, (10**15, 1)).line + "\nall is well"
    github.add_comment(7, copied, "mallory")
    assert comment(client).action == "created"
    assert github.comments[7][0]["body"] == copied


# --- one comment ------------------------------------------------------------------------------------------------------
def test_created_then_updated(github: FakeGitHub, client: GitHub) -> None:
    first = comment(client, run=5, text="one")
    assert first.action == "created"
    assert comment(client, run=6, text="two") == Outcome("updated", first.id)
    assert github.ours(7) == [Marker("models", NEW, (6, 1)).line + "\ntwo"]


def test_with_the_token_of_a_person_only_their_comments_are_ours(github: FakeGitHub, client: GitHub) -> None:
    github.viewer = "reviewer"
    github.add_comment(7, Marker("models", OLD, (1, 1)).line, BOT, bot=True)
    assert comment(client).action == "created"
    assert comment(client, run=6).action == "updated"
    assert [row["user"]["login"] for row in github.comments[7]] == [BOT, "reviewer"]


def test_found_among_231_over_pages_and_behind_deleted_authors(github: FakeGitHub, client: GitHub) -> None:
    for number in range(230):
        github.add_comment(7, f"comment {number}", None if number % 3 == 0 else "someone")
    ours = github.add_comment(7, Marker("models", OLD, (4, 1)).line + "\nold", BOT, bot=True)
    assert comment(client) == Outcome("updated", ours)
    assert len(github.comments[7]) == 231
    assert len(github.ours(7)) == 1


def test_duplicates_of_an_earlier_accident_are_taken_away(github: FakeGitHub, client: GitHub) -> None:
    for run in (3, 4, 4):
        github.add_comment(7, Marker("models", OLD, (run, 1)).line, BOT, bot=True)
    assert comment(client).action == "updated"
    assert len(github.ours(7)) == 1


def test_an_address_with_a_path(fake: Callable[..., FakeGitHub]) -> None:
    enterprise = fake(prefix="/api/v3")
    enterprise.add_pull(7, NEW)
    client = GitHub("octo/models", enterprise.token, enterprise.url)
    assert comment(client).action == "created"
    client.set_status(NEW, "success", "gitops-model/review", "fine", "https://example.com")
    assert enterprise.statuses[0]["state"] == "success"


# --- GitHub misbehaves ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "how",
    [
        Fault("", "comments", 429),
        Fault("", "comments", 502),
        Fault("", "comments", 503),
        Fault("", "comments", 504),
        Fault("", "comments", 403, headers={"Retry-After": "7"}),
        Fault("", "comments", 403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}),
        Fault("", "comments", "drop"),
        Fault("", "comments", 1.0),
    ],
    ids=["429", "502", "503", "504", "403-retry-after", "403-limit", "dropped", "slow"],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_asked_again(github: FakeGitHub, client: GitHub, pauses: list[float], how: Fault, method: str) -> None:
    github.add_comment(7, Marker("models", OLD, (4, 1)).line, BOT, bot=True)
    github.faults.append(replace(how, method=method, times=2))
    assert comment(client).action == "updated"
    assert len(pauses) == 2
    assert pauses[0] >= (7 if "Retry-After" in how.headers else 0.5)
    assert pauses[1] >= pauses[0]


@pytest.mark.parametrize("what", [502, 504, "drop", "lose", 1.0], ids=["502", "504", "dropped", "lost", "slow"])
def test_a_post_whose_answer_is_lost_leaves_one_comment(github: FakeGitHub, client: GitHub, what: int | str) -> None:
    github.faults.append(Fault("POST", COMMENTS, what))
    assert comment(client).action == "created"
    assert len(github.ours(7)) == 1


def test_the_no_of_a_fork_is_asked_once(github: FakeGitHub, client: GitHub, pauses: list[float]) -> None:
    github.read_only = True
    with pytest.raises(Refused, match="Resource not accessible by integration") as error:
        comment(client)
    assert error.value.status == 403
    assert pauses == []
    assert github.count("POST", ".") == 1


@pytest.mark.parametrize("status", [404, 410, 422])
def test_a_clear_no_is_not_asked_again(github: FakeGitHub, client: GitHub, pauses: list[float], status: int) -> None:
    github.faults.append(Fault("POST", COMMENTS, status))
    with pytest.raises(Refused):
        comment(client)
    assert pauses == []


def test_a_server_that_stays_down(github: FakeGitHub, client: GitHub, pauses: list[float]) -> None:
    github.faults.append(Fault("*", ".", 503, 1000))
    with pytest.raises(NetworkTrouble, match="answers 503, 5 times"):
        comment(client)
    assert pauses == [0.5, 1, 2, 4]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(
    github: FakeGitHub, client: GitHub, pauses: list[float]
) -> None:
    github.faults.append(Fault("GET", COMMENTS, 403, 1, {"Retry-After": "3600"}))
    with pytest.raises(NetworkTrouble, match="wait for 3,600 seconds"):
        comment(client)
    assert pauses == []


def test_a_token_that_nobody_knows(github: FakeGitHub) -> None:
    with pytest.raises(Refused, match="does not know the token"):
        comment(GitHub("octo/models", "other", github.url))


def test_a_comment_deleted_in_between_is_written_anew(github: FakeGitHub, client: GitHub) -> None:
    github.add_comment(7, Marker("models", OLD, (4, 1)).line, BOT, bot=True)

    def delete_once(method: str, _path: str) -> None:
        if method == "PATCH":
            github.comments[7].clear()

    github.before = delete_once
    assert comment(client).action == "created"
    assert len(github.ours(7)) == 1


# --- races ------------------------------------------------------------------------------------------------------------
def meet(github: FakeGitHub, method: str, path: str) -> None:
    """Two runs wait for one another before their first request of this kind."""
    barrier = threading.Barrier(2)
    met: set[int] = set()

    def before(asked: str, where: str) -> None:
        if asked == method and where.endswith(path) and threading.get_ident() not in met and len(met) < 2:
            met.add(threading.get_ident())
            barrier.wait(timeout=10)

    github.before = before


@pytest.fixture
def race(github: FakeGitHub) -> Iterator[Callable[[], list[Outcome]]]:
    def run() -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}

        def one(number: int) -> None:
            outcomes[number] = comment(
                GitHub("octo/models", github.token, github.url), run=number, text=f"run {number}"
            )

        threads = [threading.Thread(target=one, args=(number,)) for number in (5, 6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [outcomes[5], outcomes[6]]

    return run


@pytest.mark.parametrize("round_", range(3))
def test_two_runs_that_both_find_nothing(github: FakeGitHub, race: Callable[[], list[Outcome]], round_: int) -> None:
    meet(github, "POST", "comments")
    older, newer = race()
    assert older.action == "superseded"
    assert newer.action == "created"
    assert github.ours(7) == [Marker("models", NEW, (6, 1)).line + "\nrun 6"]


@pytest.mark.parametrize("round_", range(3))
def test_two_runs_that_both_update(github: FakeGitHub, race: Callable[[], list[Outcome]], round_: int) -> None:
    kept = github.add_comment(7, Marker("models", OLD, (4, 1)).line, BOT, bot=True)
    meet(github, "PATCH", f"comments/{kept}")
    race()
    assert github.ours(7) == [Marker("models", NEW, (6, 1)).line + "\nrun 6"]


def test_the_mark_is_read_as_it_is_written() -> None:
    marker = Marker("a-1", NEW, (123, 4))
    assert marker_of(marker.line + "\ntext") == marker
    assert marker_of(marker.line) == marker
    assert marker_of(" " + marker.line) is None
