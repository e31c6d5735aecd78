"""A review in a job of GitHub Actions: summary and annotations first, which need no permission; then what needs some.

What cannot be written (no token, a token that may only read, a pull request that is gone, GitHub being down) is said in
the log and in the summary, and does not change the outcome of the review.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.errors import CouldNotRun
from gitops_model.git.bring import Remote
from gitops_model.git.environment import with_token
from gitops_model.git.repository import Repository
from gitops_model.pipeline.review import Options, review
from gitops_model.pipeline.review_event import Event, read_event
from gitops_model.render import render
from gitops_model.render.inert import command_data, prose
from gitops_model.render.review import Review, description
from gitops_model.render.review.markdown import document
from gitops_model.sinks import files, github_comment, job
from gitops_model.sinks.github_comment import Marker

if TYPE_CHECKING:
    from gitops_model.net.github import GitHub
    from gitops_model.pipeline.probe import Limits

CONTEXT = "gitops-model/review"
SUMMARY_LIMIT = 250_000
"""Characters, of up to four bytes each: a summary holds 1 MiB."""
FORK = "the token of a fork's pull request may only read; model-review-comment.yml comments in its place"


class Inputs(NamedTuple):
    """`comment`: auto (when there is something to say, or a comment to update), always or never."""

    base: str | None = None
    head: str | None = None
    paths: tuple[str, ...] = ()
    comment: str = "auto"
    key: str = "models"
    fail_on: str | None = None
    lfs_fetch: bool = False
    deep: bool = False
    run: "Limits | None" = None
    report_json: str | None = None
    report_html: str | None = None
    sarif_file: str | None = None


class Job:
    """The surroundings of one run. `write` takes lines of the log, in which annotations are read."""

    def __init__(self, environ: Mapping[str, str], inputs: Inputs, write: Callable[[str], object]) -> None:
        if not github_comment.is_key(inputs.key):
            raise CouldNotRun(f"{inputs.key!r} is no key of a comment: letters, digits and - only")
        self.environ = environ
        self.inputs = inputs
        self.event: Event = read_event(environ)
        self.token = environ.get("GITHUB_TOKEN", "")
        self._write = write
        self._github: GitHub | None = None
        self.comment_id: int | None = None

    # --- the two kinds of run ---------------------------------------------------------------------------------------
    def review(self, cwd: str) -> Review:
        """Compare what the event names, and publish it."""
        event, inputs = self.event, self.inputs
        try:
            found = self._compare(cwd)
        except CouldNotRun as error:
            self._could_not(error)
            raise
        except Exception:
            self._could_not(
                CouldNotRun("a bug of gitops-model ended the review; the log of the job has a report of it")
            )
            raise
        self._tell(found)
        lines = [*self._comment(found, event.number), *self._status(found)]
        self._close(found, lines)
        if inputs.sarif_file is not None:
            files.write(os.path.join(cwd, inputs.sarif_file), render("review", "sarif", found))
        return found

    def comment_on(self, path: str) -> Review:
        """Publish the report that the run before this one left: nothing of the change is checked out or run."""
        from gitops_model.pipeline.review_report import read_report

        event = self.event
        try:
            found = read_report(path)
            if event.head is None or found.head != event.head:
                raise CouldNotRun(f"the report is about {found.head}, and the run before was on {event.head}")
        except CouldNotRun as error:
            self._could_not(error)
            raise
        lines: list[str] = []
        number: int | None = None
        try:
            number = self._pull_request_at(event.head)
        except CouldNotRun as error:
            lines.append(f"no comment: {error}")
        else:
            if number is None:
                lines.append(f"no comment: no open pull request has {event.head[:12]} as its head any more")
        self._summarise(found)
        if number is not None:
            lines += self._comment(found, number, footer="told by the run of the pull request, which a fork controls")
        self._close(found, lines)
        return found

    # --- comparing --------------------------------------------------------------------------------------------------
    def _compare(self, cwd: str) -> Review:
        event, inputs = self.event, self.inputs
        base, head = inputs.base or event.base, inputs.head or event.head or "HEAD"
        environ = dict(self.environ)
        if self.token:
            environ = with_token(environ, self.environ.get("GITHUB_SERVER_URL", "https://github.com"), self.token)
        with Repository.open(cwd, environ) as repository:
            remote = self._remote(repository)
            if event.name == "push" and event.head is not None and inputs.base is None:
                base = pushed_onto(Remote(repository, remote), base, event.head)
            if base is None:
                raise CouldNotRun(f"the event {event.name} says no base to compare with", hint="base-ref: main")
            if remote is not None:
                self._notes(repository, remote, push=False)
            paths = tuple(path.strip("/") for path in inputs.paths)
            found = review(repository, base, head, Options(remote, paths, inputs.lfs_fetch, inputs.deep, inputs.run))
            if event.to_default and remote is not None:
                self._record(repository, remote, found.head)
        return found

    def _remote(self, repository: Repository) -> str | None:
        from gitops_model.pipeline.notes import default_remote

        try:
            return default_remote(repository)
        except CouldNotRun:
            return None

    def _notes(self, repository: Repository, remote: str, *, push: bool) -> None:
        from gitops_model.git.sync import sync

        outcome = sync(repository, remote, push=push, interactive=False, timeout=120)
        self._write(f"notes: {command_data(outcome.warning or outcome.said)}\n")

    def _record(self, repository: Repository, remote: str, head: str) -> None:
        """On the default branch: notes on every model that has none, in the remote too."""
        from gitops_model.pipeline.record import record

        outcome = record(repository, revision=head)
        self._write(f"notes: {outcome.notes:,} written\n")
        self._notes(repository, remote, push=True)

    # --- publishing -------------------------------------------------------------------------------------------------
    @property
    def github(self) -> "GitHub":
        if not self.token:
            raise CouldNotRun("there is no github-token")
        if self._github is None:
            from gitops_model.net.github import API, GitHub

            api = self.environ.get("GITHUB_API_URL", API)
            self._github = GitHub(self.event.repository, self.token, api)
        return self._github

    def _tell(self, found: Review) -> None:
        """Everything that needs no permission."""
        self._write(render("review", "github", found))
        self._summarise(found)

    def _summarise(self, found: Review) -> None:
        path = self.environ.get("GITHUB_STEP_SUMMARY")
        if path:
            job.append_summary(path, document(found, limit=SUMMARY_LIMIT) + "\n")

    def _comment(self, found: Review, number: int | None, footer: str = "") -> Iterator[str]:
        """Sentences about a comment that could not be written."""
        inputs, event = self.inputs, self.event
        if number is None or inputs.comment == "never":
            return
        from gitops_model.net.github import Refused

        text = document(found, full_report=event.run_url, footer=footer)
        marker = Marker(inputs.key, found.head, event.run)
        try:
            now = self.github.pull_request(number)
            if now.head != found.head:
                yield f"no comment: pull request {number} has moved on to {now.head[:12]}, whose own run comments"
                return
            create = found.changed or inputs.comment == "always"
            outcome = github_comment.publish(self.github, number, marker, text, create=create)
            self.comment_id = outcome.id
            self._write(f"comment: {outcome.action}\n")
        except Refused as error:
            fork = error.status == 403 and event.from_fork and event.name == "pull_request"
            hint = "permissions: pull-requests: write" if error.status == 403 else f"is pull request {number} gone?"
            yield f"no comment: {FORK}" if fork else f"no comment: {error} ({hint})"
        except CouldNotRun as error:
            yield f"no comment: {error}"

    def _status(self, found: Review) -> Iterator[str]:
        failed = found.report.fails(self.inputs.fail_on)
        if self.token and not self.event.from_fork:
            yield from self._set_status(found.head, "failure" if failed else "success", description(found))

    def _set_status(self, sha: str, state: str, text: str) -> Iterator[str]:
        from gitops_model.net.github import Refused

        try:
            self.github.set_status(sha, state, CONTEXT, text, self.event.run_url)
        except Refused as error:
            if error.status != 403:  # who does not grant `statuses: write` does not want one
                yield f"no commit status: {error}"
        except CouldNotRun as error:
            yield f"no commit status: {error}"

    def _pull_request_at(self, sha: str) -> int | None:
        """The open pull request of this head; an event of a fork's run names none."""
        event = self.event
        if event.head_owner is None or event.head_branch is None:
            return None
        found = self.github.pull_requests_from(event.head_owner, event.head_branch)
        return next((request.number for request in found if request.head == sha and request.is_open), None)

    def _could_not(self, error: CouldNotRun) -> None:
        """Nothing was reviewed: say so where people look, and leave the comment as it is."""
        hint = f" (try: {error.hint})" if error.hint else ""
        self._write(f"::error title=gitops-model::{command_data(f'{error}{hint}')}\n")
        path = self.environ.get("GITHUB_STEP_SUMMARY")
        if path:
            job.append_summary(path, f"## ⚠️ The models were not reviewed\n\n{prose(f'{error}{hint}', 1000)}\n")
        head = self.inputs.head or self.event.head
        if self.token and head and not self.event.from_fork and self.event.name != "workflow_run":
            for line in self._set_status(head, "error", "the models could not be reviewed"):
                self._write(f"{command_data(line)}\n")

    def _close(self, found: Review, lines: list[str]) -> None:
        """Files, outputs, and what could not be written."""
        inputs = self.inputs
        summary, outputs = self.environ.get("GITHUB_STEP_SUMMARY"), self.environ.get("GITHUB_OUTPUT")
        for line in lines:
            self._write(f"::notice title=gitops-model::{command_data(line)}\n")
            if summary:
                job.append_summary(summary, f"\n> ℹ️ {prose(line, 1000)}\n")
        for form, path in (("json", inputs.report_json), ("html", inputs.report_html)):
            if path is not None:
                files.write(path, render("review", form, found))
        if outputs:
            values = {
                "changed": str(found.changed).lower(),
                "verdict": found.kind,
                "bump": found.bump,
                "report-json": inputs.report_json or "",
                "report-html": inputs.report_html or "",
                "comment-id": "" if self.comment_id is None else str(self.comment_id),
            }
            job.write_outputs(outputs, values)


def pushed_onto(remote: Remote, before: str | None, head: str) -> str:
    """What a push is compared with: where the branch was before, if that commit can still be had (the first push of a
    branch names none, a forced one may name one that is gone), else the first parent, else the head itself."""
    for revision in (before, f"{head}~1"):
        with suppress(CouldNotRun):
            if revision is not None:
                return remote.commit(revision)
    return head
