"""GitHub's own description of its REST API, from the pinned npm package @octokit/openapi: what the fake GitHub obeys.

    python tests/support/openapi.py fetch    download it unless it is there; says in one line why it could not

npm fetches the package as a file, its SHA-512 is compared, and of its 400 MB only what the calls of ours need is kept.
"""

import hashlib
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from support import npm
from support.models import CACHE, Unavailable

PACKAGE = "@octokit/openapi@23.0.2"
INTEGRITY = "pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=="
MEMBER = "package/generated/api.github.com.json"
PATHS = (
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    "/repos/{owner}/{repo}/pulls",
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/statuses/{sha}",
    "/repos/{owner}/{repo}/commits/{ref}/statuses",
    "/repos/{owner}/{repo}/check-runs",
    "/user",
)
KEPT = CACHE / "openapi" / f"{PACKAGE.rpartition('@')[2]}-{hashlib.sha256(repr(PATHS).encode()).hexdigest()[:8]}.json"


def fetch() -> Path:
    """The part that is kept, downloaded unless it is there; raises `Unavailable`."""
    if not KEPT.exists():
        text = json.dumps(slim(json.loads(npm.member(PACKAGE, INTEGRITY, MEMBER))))
        npm.keep(KEPT, text.encode())
    return KEPT


def slim(document: dict[str, Any]) -> dict[str, Any]:
    """PATHS with everything that they refer to, its schemas made JSON Schema 2020-12."""
    kept: dict[str, Any] = {"paths": {path: document["paths"][path] for path in PATHS}, "components": {}}
    waiting = list(references(kept))
    while waiting:
        _, part, kind, name = waiting.pop().split("/")
        group = kept["components"].setdefault(kind, {})
        if name not in group:
            group[name] = document[part][kind][name]
            waiting += references(group[name])
    return modern(kept)


def references(value: Any) -> list[str]:
    return re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(value))


def modern(value: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema names null as a type; examples are dropped."""
    if isinstance(value, list):
        return [modern(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: modern(inner) for name, inner in value.items() if name not in ("example", "examples")}
    if made.pop("nullable", None) is True:
        return {"anyOf": [made, {"type": "null"}]}
    return made


class Description:
    """The API as its description has it: which calls there are, and what they may carry and answer."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.routes = [(re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)) + "$"), path) for path in PATHS]

    def route(self, path: str) -> tuple[str, tuple[str, ...]] | None:
        """(template, arguments) of a path."""
        for pattern, template in self.routes:
            if match := pattern.match(path):
                return template, match.groups()
        return None

    def operation(self, method: str, template: str) -> dict[str, Any] | None:
        return self.document["paths"][template].get(method.lower())

    def wrong_in_request(self, method: str, template: str, query: dict[str, str], body: Any) -> str | None:
        operation = self.operation(method, template)
        if operation is None:
            return f"{method} {template}: there is no such call"
        known = [self.resolved(parameter) for parameter in operation.get("parameters", [])]
        names = {parameter["name"] for parameter in known if parameter["in"] == "query"}
        if query.keys() - names:
            return f"{method} {template}: unknown parameters {query.keys() - names}"
        content = self.resolved(operation.get("requestBody", {})).get("content", {}).get("application/json")
        if content is None:
            return None if body is None else f"{method} {template}: takes no body"
        return self.wrong(content["schema"], body, f"{method} {template}")

    def wrong_in_answer(self, method: str, template: str, status: int, body: Any) -> str | None:
        operation = self.operation(method, template) or {"responses": {}}
        answer = operation["responses"].get(str(status))
        if answer is None:
            # not every call lists what every call may answer
            return None if status in (401, 403, 404, 429, 500, 502, 503, 504) else f"{method} {template}: no {status}"
        content = self.resolved(answer).get("content", {}).get("application/json")
        return None if content is None else self.wrong(content["schema"], body, f"{method} {template} {status}")

    def wrong(self, schema: dict[str, Any], value: Any, where: str) -> str | None:
        whole = {**schema, "components": self.document["components"]}
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(whole).iter_errors(value))
        return None if error is None else f"{where}: {error.json_path}: {error.message[:300]}"

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in value:
            _, part, kind, name = value["$ref"].split("/")
            value = self.document[part][kind][name]
        return value

    def sample(self, schema: dict[str, Any], name: str = "") -> Any:
        """The smallest value that a schema allows, every required key filled."""
        schema = self.resolved(schema)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self.sample(schema[word][0], name)
        if "allOf" in schema:
            made: dict[str, Any] = {}
            for part in schema["allOf"]:
                made |= self.sample(part, name)
            return made
        if "enum" in schema:
            return schema["enum"][0]
        kinds = {"integer": 1, "number": 1, "boolean": False, "array": [], "null": None}
        kind = schema.get("type", "object")
        if kind == "string":
            samples = {"uri": "https://example.com/x", "date-time": "2026-01-02T03:04:05Z"}
            return samples.get(schema.get("format", ""), name or "x")
        if kind in kinds:
            return kinds[kind]
        return {key: self.sample(schema["properties"][key], key) for key in schema.get("required", [])}


@cache
def description() -> Description:
    """What `make test` fetched; raises `Unavailable`."""
    if not KEPT.exists():
        raise Unavailable(f"{PACKAGE} is not in {CACHE}: run `make models`")
    return Description(json.loads(KEPT.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(npm.main("openapi", fetch, sys.argv[1:]))
