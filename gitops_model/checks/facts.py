"""What the checks of one subject (a manifest with its files, or one model file) are told. Data only, no handles."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gitops_model.blob import Pointer
from gitops_model.errors import Problem
from gitops_model.ir import Model

if TYPE_CHECKING:
    from gitops_model.manifest import Manifest


@dataclass(slots=True)
class FileFacts:
    """One model file. `path` is relative to the repository; `problems` is why it cannot be read, or what reading saw.

    `listed` is the path under which the manifest lists it, "" for a file without a manifest. `digests` holds the
    whole-file digests that were computed or taken from a pointer (algorithm → hex).
    """

    path: str
    model: Model | None = None
    problems: tuple[Problem, ...] = ()
    digests: dict[str, str] = field(default_factory=dict[str, str])
    size: int | None = None
    pointer: Pointer | None = None
    content_is_local: bool = True
    listed: str = ""
    largest_outside_lfs: int | None = None
    """The limit of GM608 in bytes; None where the file is not in git, or the limit is switched off."""
    recorded: tuple[dict[str, str], ...] | None = None
    """What each valid note line states: `weights`, `structure`, `sha256` … → digest. None: nobody asked the notes."""
    computed: dict[str, str] = field(default_factory=dict[str, str])
    """The same digests, computed now."""


class Here(NamedTuple):
    """Where the user stands: `above` is the way to the top of what is checked, `below` the folder below that top.

    Both are empty or end in `/`, and one of them is always empty.
    """

    above: str = ""
    below: str = ""

    def path(self, path: str) -> str:
        """A path from the top, as a command takes it where the user stands."""
        standing, parts = self.below.split("/")[:-1], path.split("/")
        common = 0
        while common < min(len(standing), len(parts) - 1) and standing[common] == parts[common]:
            common += 1
        return self.above + "../" * (len(standing) - common) + "/".join(parts[common:])


AT_THE_TOP = Here()


class Absent(NamedTuple):
    """A listed file that is not there: the listed path, and the command that most likely brings it back.

    `close` is a path, written as the manifest would, that differs little; `is_folder` if there is a folder instead.
    """

    listed: str
    hint: str | None = None
    close: str | None = None
    is_folder: bool = False


class Linked(NamedTuple):
    """A listed file that is, or lies behind, a symbolic link at `link` (both relative to the repository)."""

    listed: str
    path: str
    link: str


class Unneeded(NamedTuple):
    """An ignore of the configuration that hid nothing: the code, and the paths it was for."""

    code: str
    match: tuple[str, ...]


class OutOfStep(NamedTuple):
    """Two listed files of one model in two formats that hold other weights; `what` names the worst of it."""

    before: str
    after: str
    what: str


class VersionMove(NamedTuple):
    """How the manifest's version moved since the base, and what the change of its models asks for.

    `least` is the lowest version that is enough, `file` the model that asks for it, `reason` why, `hint` the command.
    """

    before: str
    after: str
    is_enough: bool
    least: str
    file: str
    reason: str
    hint: str | None = None


@dataclass(slots=True)
class Facts:
    """A subject: `path` is the manifest's (with `manifest`, unless it could not be composed) or the model file's own.

    `problems` are what reading the subject itself said; `files` the files it is about; `absent` the listed files that
    are not there; `linked` those behind a symbolic link; `unlisted` the model files beside the manifest that no
    manifest lists (paths relative to the repository). `named` is set when the user named this very file.
    """

    path: str
    problems: tuple[Problem, ...] = ()
    manifest: "Manifest | None" = None
    files: tuple[FileFacts, ...] = ()
    absent: tuple[Absent, ...] = ()
    linked: tuple[Linked, ...] = ()
    unlisted: tuple[str, ...] = ()
    out_of_step: tuple[OutOfStep, ...] = ()
    unneeded: tuple[Unneeded, ...] = ()
    version: VersionMove | None = None
    named: bool = False
    here: Here = AT_THE_TOP
