"""GitHub's REST API, through a github3.py session: the few calls that a review needs, with time-outs and retries.

The session signs, addresses and counts the requests; answers are read as plain JSON, a few keys of each. github3.py's
own objects (4.0.1) fail on a comment whose author's account was deleted, and on answers that lack what GitHub's
description does not promise (`author_association` of a comment, `has_downloads` of a repository).

    NetworkTrouble    no answer, or none that helps, after all retries
    ├── Unclear       the same, for a request that may have been carried out nevertheless
    └── Refused       a clear no: `status` is 401, 403, 404 or 422
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar, cast

from gitops_model.errors import CouldNotRun, MissingExtra

API = "https://api.github.com"
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 20.0
TRIES = 5
FIRST_PAUSE = 0.5
MOST_PAUSE = 60.0
"""Seconds that one pause may take; a server that asks for more is not waited for."""
PAGES = 100
"""Pages of 100 that a search reads."""

Read = TypeVar("Read")

GONE_WRONG = frozenset((502, 503, 504))
TOO_MANY = frozenset((403, 429))


class NetworkTrouble(CouldNotRun):
    """GitHub could not be asked."""


class Unclear(NetworkTrouble):
    """Whether the request was carried out is not known."""


class Refused(NetworkTrouble):
    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.status = status


class Comment(NamedTuple):
    """A comment on a pull request. `author` is None where the account was deleted."""

    id: int
    body: str
    author: str | None
    is_bot: bool


class PullRequest(NamedTuple):
    number: int
    head: str
    is_open: bool


class Status(NamedTuple):
    """A commit status. `creator` is the login of who set it, "" for an account that was deleted."""

    context: str
    state: str
    creator: str


class GitHub:
    """One repository, `OWNER/NAME`, at an API address (`GITHUB_API_URL`; GitHub Enterprise Server has its own)."""

    def __init__(
        self,
        repository: str,
        token: str,
        api: str = API,
        *,
        timeouts: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session: Any = new_session(timeouts, sleep)
        self._session.base_url = api.rstrip("/")
        self._session.token_auth(token)
        self._owner, _, self._name = repository.partition("/")
        if not self._owner or not self._name or "/" in self._name:
            raise CouldNotRun(f"{repository!r} is no OWNER/NAME")
        self._viewer: str | None = None

    # --- who we are -------------------------------------------------------------------------------------------------
    def is_ours(self, comment: Comment) -> bool:
        """Whether the account that the token belongs to wrote a comment.

        The token of a job or an app may not ask who it is; what it writes has a bot as its author, which no person who
        copies our mark can be.
        """
        if self._viewer is None:
            try:
                answer = self._ask("GET", self._session.build_url("user"), (200,))
                self._viewer = str(document(answer)["login"])
            except Refused:
                self._viewer = ""
        return comment.author == self._viewer if self._viewer else comment.is_bot

    # --- comments ---------------------------------------------------------------------------------------------------
    def comments(self, number: int) -> Iterator[Comment]:
        """Every comment on a pull request, page by page, the oldest first."""
        return (read(_comment, row) for row in self._pages("issues", number, "comments"))

    def create_comment(self, number: int, body: str) -> Comment:
        """Unclear when the answer was lost: look for the comment before trying again."""
        url = self._url("issues", number, "comments")
        return read(_comment, document(self._ask("POST", url, (201,), json={"body": body})))

    def edit_comment(self, comment: Comment, body: str) -> None:
        self._ask("PATCH", self._url("issues", "comments", comment.id), (200,), json={"body": body})

    def delete_comment(self, comment: Comment) -> None:
        """No error when it is gone already."""
        self._ask("DELETE", self._url("issues", "comments", comment.id), (204, 404))

    # --- pull requests ----------------------------------------------------------------------------------------------
    def pull_request(self, number: int) -> PullRequest:
        return read(_pull_request, document(self._ask("GET", self._url("pulls", number), (200,))))

    def pull_requests_from(self, owner: str, branch: str) -> list[PullRequest]:
        """The open pull requests whose head is `OWNER:BRANCH`."""
        return [read(_pull_request, row) for row in self._pages("pulls", state="open", head=f"{owner}:{branch}")]

    # --- statuses ---------------------------------------------------------------------------------------------------
    def set_status(self, sha: str, state: str, context: str, description: str, url: str | None) -> None:
        """`state`: success, failure, error or pending. `description` has at most 140 characters."""
        fields = {"state": state, "context": context, "description": description[:140]}
        if url is not None:
            fields["target_url"] = url
        self._ask("POST", self._url("statuses", sha), (201,), json=fields)

    def statuses(self, sha: str) -> Iterator[Status]:
        """All statuses of a commit, the newest first."""
        return (read(_status, row) for row in self._pages("commits", sha, "statuses"))

    def create_check_run(self, sha: str, name: str, conclusion: str, title: str, summary: str) -> None:
        """A check run that is done; `summary` is Markdown of at most 65,535 characters."""
        output = {"title": title[:200], "summary": summary}
        fields = {"name": name, "head_sha": sha, "status": "completed", "conclusion": conclusion, "output": output}
        self._ask("POST", self._url("check-runs"), (201,), json=fields)

    # --- requests ---------------------------------------------------------------------------------------------------
    def _url(self, *parts: object) -> str:
        return self._session.build_url("repos", self._owner, self._name, *parts)

    def _pages(self, *parts: object, **query: str) -> Iterator[dict[str, Any]]:
        url = self._url(*parts)
        params: dict[str, str] | None = {"per_page": "100", **query}
        for _ in range(PAGES):
            answer = self._ask("GET", url, (200,), params=params)
            rows = document(answer)
            yield from cast("list[dict[str, Any]]", rows if isinstance(rows, list) else [])
            url, params = answer.links.get("next", {}).get("url", ""), None
            if not url.startswith(self._session.base_url + "/"):
                return

    def _ask(self, method: str, url: str, good: tuple[int, ...], **more: Any) -> Any:
        answer: Any = self._session.request(method, url, **more)
        if answer.status_code not in good:
            raise refusal(answer)
        return answer


def library(name: str) -> Any:
    """A module of github3.py, which has no types and takes 0.3 s to import."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra("review", "github3.py") from error


def new_session(timeouts: tuple[float, float], sleep: Callable[[float], None]) -> Any:
    """A github3 session whose requests are retried."""
    import requests

    base: Any = library("github3.session").GitHubSession

    class Session(base):
        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
            # A comment that was posted twice would stand twice; any other request may be repeated.
            repeatable = method.upper() != "POST" or not url.endswith("/comments")
            more.setdefault("timeout", timeouts)
            said = "no answer"
            for attempt in range(TRIES):
                pause = FIRST_PAUSE * 2**attempt
                try:
                    answer: Any = base.request(self, method, url, *args, **more)
                except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                    said = f"no answer ({type(error).__name__})"
                    if not repeatable:
                        raise Unclear(f"GitHub: {said}") from error
                except requests.RequestException as error:
                    raise NetworkTrouble(f"GitHub cannot be asked: {type(error).__name__}: {error}"[:300]) from error
                else:
                    wait = wanted_pause(answer)
                    if wait is None and answer.status_code not in GONE_WRONG:
                        return answer
                    said = f"answers {answer.status_code}"
                    if answer.status_code in GONE_WRONG and not repeatable:
                        raise Unclear(f"GitHub: {said}")
                    pause = max(pause, wait or 0.0)
                    if pause > MOST_PAUSE:
                        raise NetworkTrouble(f"GitHub {said} and asks to wait for {pause:,.0f} seconds")
                if attempt + 1 < TRIES:
                    sleep(pause)
            raise NetworkTrouble(f"GitHub {said}, {TRIES} times")

    return Session()


def wanted_pause(answer: Any) -> float | None:
    """The seconds that a server which was asked too often wants; None for any other answer.

    A plain 403 is a no; with Retry-After, or with the rate limit used up, it is one of the limits
    (docs.github.com: rate limits for the REST API).
    """
    if answer.status_code not in TOO_MANY:
        return None
    after = answer.headers.get("Retry-After")
    if after is not None:
        return float(after) if after.isdecimal() else FIRST_PAUSE
    if answer.headers.get("X-RateLimit-Remaining") == "0":
        reset = answer.headers.get("X-RateLimit-Reset", "")
        return max(1.0, int(reset) - time.time() + 1) if reset.isdecimal() else MOST_PAUSE
    return FIRST_PAUSE if answer.status_code == 429 else None


def refusal(answer: Any) -> NetworkTrouble:
    """A clear answer that is not the wanted one, in a sentence."""
    status = int(answer.status_code)
    try:
        document: Any = answer.json()
        said = str(cast("dict[str, Any]", document).get("message", ""))[:200] if isinstance(document, dict) else ""
    except ValueError:
        said = ""
    reasons = {
        401: "GitHub does not know the token",
        403: "the token may not do this",
        404: "there is no such thing, or the token may not see it",
        422: "GitHub refuses what was sent",
    }
    reason = reasons.get(status, f"GitHub answers {status}")
    return Refused(status, f"{reason}{f' ({said})' if said else ''}")


def document(answer: Any) -> Any:
    """The JSON of an answer."""
    try:
        return answer.json()
    except (ValueError, RecursionError) as error:
        raise NetworkTrouble("GitHub answers with something that is no JSON") from error


def read(reader: Callable[[Any], Read], row: Any) -> Read:
    """What `reader` makes of a row of an answer."""
    try:
        return reader(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkTrouble(f"GitHub's answer is not what its description says: {error!r}"[:300]) from error


def _comment(row: dict[str, Any]) -> Comment:
    user: dict[str, Any] = row.get("user") or {}
    author = str(user["login"]) if "login" in user else None
    return Comment(int(row["id"]), str(row.get("body") or ""), author, user.get("type") == "Bot")


def _status(row: dict[str, Any]) -> Status:
    creator: dict[str, Any] = row.get("creator") or {}
    return Status(str(row["context"]), str(row["state"]), str(creator.get("login", "")))


def _pull_request(row: dict[str, Any]) -> PullRequest:
    return PullRequest(int(row["number"]), str(row["head"]["sha"]), row.get("state") == "open")
