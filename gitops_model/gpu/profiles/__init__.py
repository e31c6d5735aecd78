"""Ready-made targets, so that a release can be judged against a GPU that nobody here has.

Each file is a document under target.schema.json and says in `sources` where its facts come from; its health is that of
a machine in order and its driver an example. A target that names one (`profile: l4`) states only what differs.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from gitops_model.errors import CouldNotRun
from gitops_model.gpu.contract import Document
from gitops_model.nearest import nearest

_ENDING = ".json"
_HERE = os.path.dirname(__file__)


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(name.removesuffix(_ENDING) for name in os.listdir(_HERE) if name.endswith(_ENDING)))


@cache
def _read(name: str) -> Mapping[str, Any]:
    with open(os.path.join(_HERE, name + _ENDING), encoding="utf-8") as stream:
        return cast("Mapping[str, Any]", json.load(stream))


def profile(name: str) -> dict[str, Any]:
    """A profile by its name, in any case and with spaces or underscores for hyphens (`RTX 4090`)."""
    key = name.strip().lower().replace(" ", "-").replace("_", "-")
    if key not in names():
        close = nearest(key, names())
        hint = f"did you mean {close!r}?" if close else f"the profiles are {', '.join(names())}"
        raise CouldNotRun(f"there is no GPU profile {name[:80]!r}", hint)
    return dict(_read(key))


def resolve(document: Document) -> Document:
    """A target with what its `profile` supplies. A GPU that is stated takes from the profile's one what it leaves out.

    A driver of one's own has its own CUDA, so the profile's is not taken with it.
    """
    name = document.get("profile")
    if name is None:
        return document
    base = profile(name)
    if document.get("driver") is not None:
        base.pop("cuda_driver", None)
    gpus = document.get("gpus")
    merged = base | {key: value for key, value in document.items() if key != "profile"}
    if gpus:
        merged["gpus"] = [{**base["gpus"][0], **gpu} for gpu in gpus]
    return merged
