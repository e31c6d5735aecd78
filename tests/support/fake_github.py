"""A GitHub on loopback: it keeps comments, pull requests and statuses, and can be told to misbehave.

Every request and every answer is held against GitHub's own description of its API (support/openapi.py); what does not
fit stands in `violations`, which a test must find empty (the `github` fixture sees to it).
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from support.openapi import Description

BOT = "github-actions[bot]"

Answer: TypeAlias = tuple[int, dict[str, str], Any]
"""Status, headers, body."""


@dataclass
class Fault:
    """What happens instead of an answer, `times` times, to requests that fit.

    `what`: a status; "drop" closes the connection unread; "lose" does what was asked and then closes it; a number of
    seconds as a float is a slow answer.
    """

    method: str
    path: str
    what: int | float | str
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "injected"


class FakeGitHub:
    """`viewer` is the account behind the token, None for the token of a job; `read_only` is a fork's token."""

    def __init__(self, description: Description, repository: str = "octo/models", prefix: str = "") -> None:
        self.description = description
        self.repository = repository
        self.prefix = prefix
        self.viewer: str | None = None
        self.token = "secret-token"
        self.read_only = False
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.pulls: dict[int, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.check_runs: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        """Called before each request is carried out, outside the lock: a test lets runs meet here."""
        self.url = ""
        self._lock = threading.RLock()
        self._next = 1000

    # --- what a test arranges and looks at --------------------------------------------------------------------------
    def schema(self, name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}"}

    def add_comment(self, number: int, body: str, author: str | None = "someone", *, bot: bool = False) -> int:
        with self._lock:
            self._next += 1
            row = self.description.sample(self.schema("issue-comment"))
            user = None
            if author is not None:
                user = {**self.description.sample(self.schema("simple-user")), "login": author}
                user["type"] = "Bot" if bot else "User"
            address = f"{self.url}/repos/{self.repository}/issues/comments/{self._next}"
            row |= {"id": self._next, "body": body, "body_html": body, "body_text": body, "user": user, "url": address}
            self.comments.setdefault(number, []).append(row)
            return self._next

    def add_pull(self, number: int, sha: str, *, head: str = "octo:change", state: str = "open") -> None:
        row = self.description.sample(self.schema("pull-request"))
        owner, _, branch = head.partition(":")
        row |= {"number": number, "state": state}
        row["head"] |= {"sha": sha, "ref": branch, "label": head}
        row["head"]["user"] |= {"login": owner}
        self.pulls[number] = row
        self.comments.setdefault(number, [])

    def add_status(self, sha: str, state: str, context: str, **more: Any) -> None:
        """The newest status; `creator` is a login, that of a job unless it is given."""
        self.statuses.append({"sha": sha, "state": state, "context": context, **more})

    def ours(self, number: int) -> list[str]:
        return [row["body"] for row in self.comments[number] if row["body"].startswith("<!-- gitops-model:")]

    def count(self, method: str, pattern: str) -> int:
        return sum(m == method and re.search(pattern, path) is not None for m, path in self.seen)

    # --- requests ---------------------------------------------------------------------------------------------------
    def answer(self, method: str, target: str, headers: Any, data: bytes) -> tuple[int, dict[str, str], Any, str]:
        """(status, headers, body, what to do with the connection)."""
        place = urlsplit(target)
        path = place.path.removeprefix(self.prefix)
        query = dict(parse_qsl(place.query))
        with self._lock:
            self.seen.append((method, path))
        self.before(method, path)
        fault = self._fault(method, path)
        if fault is not None and isinstance(fault.what, int):
            return fault.what, fault.headers, {"message": fault.message, "documentation_url": "x"}, ""
        if fault is not None and isinstance(fault.what, float):
            time.sleep(fault.what)
        if fault is not None and fault.what == "drop":
            return 0, {}, None, "drop"
        body = json.loads(data) if data else None
        found = self.description.route(path)
        if not place.path.startswith(self.prefix) or found is None:
            self.violations.append(f"{method} {target}: no such path")
            return 404, {}, {"message": "Not Found"}, ""
        template, arguments = found
        if problem := self.description.wrong_in_request(method, template, query, body):
            self.violations.append(problem)
        with self._lock:
            refused = self._refused(method, headers)
            status, more, result = refused or self._do(method, template, arguments, query, body)
        if problem := self.description.wrong_in_answer(method, template, status, result):
            self.violations.append(problem)
        return status, more, result, "drop" if fault is not None and fault.what == "lose" else ""

    def _fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times and fault.method in ("*", method) and re.search(fault.path, path):
                    fault.times -= 1
                    return fault
        return None

    def _refused(self, method: str, headers: Any) -> Answer | None:
        if headers.get("Authorization") != f"token {self.token}":
            return 401, {}, {"message": "Bad credentials", "documentation_url": "x", "status": "401"}
        if self.read_only and method != "GET":
            said = {"message": "Resource not accessible by integration", "documentation_url": "x", "status": "403"}
            return 403, {}, said
        return None

    def _do(self, method: str, template: str, arguments: tuple[str, ...], query: dict[str, str], body: Any) -> Answer:
        if template == "/user":
            return self._user()
        if "/".join(arguments[:2]) != self.repository:
            return self._not_found()
        name = template.removeprefix("/repos/{owner}/{repo}")
        match method, name:
            case "GET", "/issues/{issue_number}/comments":
                number = int(arguments[2])
                if number not in self.comments:
                    return self._not_found()
                return self._page(self.comments[number], query, f"/repos/{self.repository}/issues/{number}/comments")
            case "POST", "/issues/{issue_number}/comments":
                number = int(arguments[2])
                if number not in self.comments:
                    return self._not_found()
                if len(body["body"]) > 65_536:
                    return 422, {}, {"message": "body is too long", "documentation_url": "x", "errors": []}
                self.add_comment(number, body["body"], self.viewer or BOT, bot=self.viewer is None)
                return 201, {}, self.comments[number][-1]
            case (("PATCH" | "DELETE"), "/issues/comments/{comment_id}"):
                return self._change(method, int(arguments[2]), body)
            case "GET", "/pulls/{pull_number}":
                row = self.pulls.get(int(arguments[2]))
                return (200, {}, row) if row is not None else self._not_found()
            case "GET", "/pulls":
                rows = [self._short(row) for row in self.pulls.values() if row["state"] == query.get("state", "open")]
                rows = [row for row in rows if row["head"]["label"] == query.get("head")]
                return self._page(rows, query, f"/repos/{self.repository}/pulls")
            case "POST", "/statuses/{sha}":
                assert len(body.get("description", "")) <= 140
                self.add_status(arguments[2], **body)
                row = self.description.sample(self.schema("status"))
                row["creator"] = {**self.description.sample(self.schema("simple-user")), "login": BOT}
                return 201, {}, row | body
            case "GET", "/commits/{ref}/statuses":
                rows = [self._status(row) for row in reversed(self.statuses) if row["sha"] == arguments[2]]
                return self._page(rows, query, f"/repos/{self.repository}/commits/{arguments[2]}/statuses")
            case "POST", "/check-runs":
                self.check_runs.append(body)
                return 201, {}, self.description.sample(self.schema("check-run")) | {"name": body["name"]}
        return self._not_found()

    def _status(self, row: dict[str, Any]) -> dict[str, Any]:
        made = self.description.sample(self.schema("status"))
        user = {**self.description.sample(self.schema("simple-user")), "login": row.get("creator", BOT)}
        return made | {key: value for key, value in row.items() if key != "sha"} | {"creator": user}

    def _user(self) -> Answer:
        if self.viewer is None:
            said = {"message": "Resource not accessible by integration", "documentation_url": "x", "status": "403"}
            return 403, {}, said
        return 200, {}, {**self.description.sample(self.schema("public-user")), "login": self.viewer}

    def _short(self, row: dict[str, Any]) -> dict[str, Any]:
        made = self.description.sample(self.schema("pull-request-simple"))
        return made | {"number": row["number"], "state": row["state"], "head": made["head"] | row["head"]}

    def _change(self, method: str, id: int, body: Any) -> Answer:  # noqa: A002 - its name
        for rows in self.comments.values():
            for row in rows:
                if row["id"] == id:
                    if method == "DELETE":
                        rows.remove(row)
                        return 204, {}, None
                    row.update(dict.fromkeys(("body", "body_html", "body_text"), body["body"]))
                    return 200, {}, row
        return self._not_found()

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str], path: str) -> Answer:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        headers: dict[str, str] = {}
        if page * size < len(rows):
            headers["Link"] = f'<{self.url}{path}?per_page={size}&page={page + 1}>; rel="next"'
        return 200, headers, rows[(page - 1) * size : page * size]

    def _not_found(self) -> Answer:
        return 404, {}, {"message": "Not Found", "documentation_url": "x", "status": "404"}


@contextmanager
def serve(fake: FakeGitHub) -> Iterator[FakeGitHub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body, then = fake.answer(self.command, self.path, self.headers, data)
            if then == "drop":
                self.close_connection = True
                return
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(text)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}{fake.prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
