"""Names of tags: ours, `model/NAME/vX.Y.Z`, and those of other tools, which are read.

    model/resnet/v1.2.0-rc.1    ours
    resnet@v1.2.0               GTO, a version; `resnet@v1.2.0!` takes it back
    resnet#prod#3               GTO, a stage, the third time; `resnet#prod!#4` takes it away
    resnet-v1.2.0               release-please and others

The text of a tag comes from whoever may push one: nothing that does not match as a whole is a release.
"""

import re
from typing import NamedTuple

from gitops_model.release.versions import RELEASE, SEMVER, Version

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_FORMS = (
    ("gitops-model", re.compile(rf"model/(?P<name>{_NAME})/v(?P<version>{SEMVER})", re.ASCII)),
    (
        "gto",
        re.compile(rf"(?P<name>{_NAME})@v(?P<version>{SEMVER})(?P<undone>!?)(?:#(?P<count>[0-9]{{1,9}}))?", re.ASCII),
    ),
    (
        "gto",
        re.compile(
            rf"(?P<name>{_NAME})#(?P<stage>[A-Za-z0-9_-]{{1,64}})(?P<undone>!?)(?:#(?P<count>[0-9]{{1,9}}))?", re.ASCII
        ),
    ),
    ("hyphen", re.compile(rf"(?P<name>{_NAME})-v(?P<version>{SEMVER})", re.ASCII)),
)
LONGEST = 400


class TagName(NamedTuple):
    """What a tag says by its name. `version` or `stage`; `undone`: the tag takes that back; `turn` is GTO's counter."""

    text: str
    scheme: str
    name: str
    version: Version | None = None
    stage: str | None = None
    undone: bool = False
    turn: int | None = None


def parse(text: str) -> TagName | None:
    """None for a tag that is no release of a model."""
    if len(text) > LONGEST:
        return None
    for scheme, pattern in _FORMS:
        match = pattern.fullmatch(text)
        if match is None or not is_name(match["name"]):
            continue
        found = match.groupdict()
        version = Version.parse(found["version"]) if found.get("version") else None
        turn = int(found["count"]) if found.get("count") else None
        return TagName(text, scheme, found["name"], version, found.get("stage"), bool(found.get("undone")), turn)
    return None


def is_name(name: str) -> bool:
    """Whether a model may be called so (as in the manifest's schema), and git takes it in a ref."""
    named = re.fullmatch(_NAME, name, re.ASCII) is not None and len(name) <= 100
    return named and ".." not in name and not name.endswith(".lock")


def is_release(version: str) -> bool:
    """Whether a version is one that is tagged: X.Y.Z or X.Y.Z-rc.N."""
    return re.fullmatch(RELEASE, version, re.ASCII) is not None and len(version) <= 100


def tag_of(name: str, version: str) -> str:
    return f"model/{name}/v{version}"


def blocking(tag: str, others: frozenset[str]) -> str | None:
    """A tag that git cannot hold beside `tag`: one would be a folder of the other (`model/a` and `model/a/v1`)."""
    parts = tag.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts))}
    return next((other for other in sorted(others) if other in above or other.startswith(f"{tag}/")), None)
