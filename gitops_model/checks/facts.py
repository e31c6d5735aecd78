"""What the checks of one subject (a manifest with its files, or one model file) are told. Data only, no handles."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitops_model.blob import Pointer
from gitops_model.errors import Problem
from gitops_model.ir import Model

if TYPE_CHECKING:
    from gitops_model.manifest import Manifest


@dataclass(slots=True)
class FileFacts:
    """One model file. `path` is relative to the repository; `problems` is why it cannot be read, or what reading saw.

    `digests` holds the whole-file digests that were computed or taken from a pointer (algorithm → hex).
    """

    path: str
    model: Model | None = None
    problems: tuple[Problem, ...] = ()
    digests: dict[str, str] = field(default_factory=dict[str, str])
    size: int | None = None
    pointer: Pointer | None = None
    content_is_local: bool = True


@dataclass(slots=True)
class Facts:
    """A subject: `path` is the manifest's (with `manifest`, unless it could not be composed) or the model file's own.

    `problems` are what reading the subject itself said; `files` the files it is about; `absent` the listed files that
    are not there; `unlisted` the model files beside the manifest that no manifest there lists.
    """

    path: str
    problems: tuple[Problem, ...] = ()
    manifest: "Manifest | None" = None
    files: tuple[FileFacts, ...] = ()
    absent: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
