"""Reading a review back from its JSON: the report of a fork's run is a stranger's text, and is taken as data only."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from gitops_model.diff.result import Edge
from gitops_model.errors import CouldNotRun
from gitops_model.finding import Finding, Report, Severity
from gitops_model.render.diff.picture import Picture, PictureBox
from gitops_model.render.diff.tables import Table
from gitops_model.render.diff.texts import Text
from gitops_model.render.review import ModelReview, Review

LIMIT = 16 << 20
"""Bytes of a report: the bounds of the schema allow for more, real ones have some thousand."""


def read_report(path: str) -> Review:
    """The review in a file; CouldNotRun where it is not what the published schema says."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(LIMIT + 1)
    except OSError as error:
        raise CouldNotRun(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > LIMIT:
        raise CouldNotRun(f"{path}: a report has at most {LIMIT:,} bytes")
    return parse(data, path)


def parse(data: bytes, path: str = "the report") -> Review:
    import jsonschema

    try:
        document: Any = json.loads(data)
        validator: Any = jsonschema.Draft202012Validator(schema())
        validator.validate(document)
    except (ValueError, RecursionError) as error:
        raise CouldNotRun(f"{path} is no JSON") from error
    except jsonschema.ValidationError as error:
        raise CouldNotRun(f"{path} is no report of a review: wrong at {error.json_path[:200]}") from error
    return Review(
        document["base"],
        document["merge_base"],
        document["head"],
        tuple(_model(model) for model in document["models"]),
        max(document["models_total"], len(document["models"])),
        tuple(document["manifests"]),
        Report(
            tuple(_finding(finding) for finding in document["findings"]),
            document["summary"]["manifests"],
            document["summary"]["files"],
            document["fail_on"],
        ),
        max(document["findings_total"], len(document["findings"])),
        tuple(document["troubles"]),
    )


@cache
def schema() -> dict[str, Any]:
    text = files("gitops_model.render").joinpath("review.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def _finding(fields: dict[str, Any]) -> Finding:
    values: dict[str, Any] = {**fields, "severity": Severity[fields["severity"].upper()]}
    return Finding(**values)


def _model(fields: dict[str, Any]) -> ModelReview:
    return ModelReview(
        fields["path"],
        fields["old_path"],
        fields["status"],
        fields["kind"],
        fields["bump"],
        fields["equivalent"],
        tuple(fields["reasons"]),
        tuple(fields["sizes"]),
        tuple(
            Table(table["kind"], tuple(tuple(row) for row in table["rows"]), max(table["total"], len(table["rows"])))
            for table in fields["tables"]
        ),
        _picture(fields.get("picture")),
        tuple(_text(text) for text in fields.get("texts", ())),
    )


def _text(fields: dict[str, Any]) -> Text:
    values: dict[str, Any] = {**fields, "lines": tuple(fields["lines"])}
    return Text(**values)


def _picture(fields: dict[str, Any] | None) -> Picture | None:
    """Edges between boxes that are not there are left out."""
    if fields is None:
        return None
    boxes = tuple(PictureBox(**box) for box in fields["boxes"])
    ends = range(len(boxes))
    edges = tuple(Edge(**edge) for edge in fields["edges"] if edge["source"] in ends and edge["target"] in ends)
    return Picture(
        boxes,
        tuple(edge for edge in edges if edge.source != edge.target),
        fields["operations"],
        fields["places"],
        tuple(fields["alike"]),
        fields["edges_left"],
    )
