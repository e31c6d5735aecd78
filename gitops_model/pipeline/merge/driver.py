"""What git asks of a merge driver: put the merge of three files where ours is, or leave ours and say why not."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from gitops_model.blob import Blob
from gitops_model.diff.result import Side
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.ir import Model
from gitops_model.pipeline.load import Opened, describe
from gitops_model.pipeline.merge.decide import (
    OURS,
    SIDES,
    THEIRS,
    Conflict,
    Decision,
    Prefer,
    contents,
    decide,
)
from gitops_model.pipeline.merge.write import write_npz, write_safetensors
from gitops_model.readers.bytes import TensorBytes

if TYPE_CHECKING:
    from gitops_model.git.repository import Repository


class Merged(NamedTuple):
    """`written`: the result stands where ours stood. Else ours is untouched, and `conflicts` or `trouble` say why."""

    path: str
    written: bool
    taken: int = 0
    conflicts: tuple[Conflict, ...] = ()
    trouble: str = ""


def merge_files(files: Sequence[str], path: str, cwd: str, environ: Mapping[str, str]) -> Merged:
    """The three files that git hands over (base, ours, theirs); the result replaces `files[1]` in one step.

    `path` is what the file is called in the repository. Git LFS's pointers are followed to content that is here.
    """
    from gitops_model.git.repository import Repository

    repository = Repository.find(cwd, environ)
    with ExitStack() as stack:
        if repository is not None:
            stack.enter_context(repository)
        blobs = [stack.enter_context(opened(repository, cwd, name)).blob for name in files]
        return merge_blobs(blobs, path, os.path.join(cwd, files[OURS]), repository)


def opened(repository: "Repository | None", cwd: str, name: str) -> Opened:
    from gitops_model.blob import NoSource

    full = os.path.join(cwd, name)
    root = repository.root if repository is not None else None
    if repository is not None and root is not None and os.path.realpath(full).startswith(root.rstrip("/") + "/"):
        below = os.path.relpath(os.path.realpath(full), root)
        return Opened(repository.on_disk(below, name), NoSource())
    return Opened(Blob.of_file(full, name), NoSource())


def resolve(repository: "Repository", word: str, prefer: Prefer) -> Merged:
    """Merge the three sides of a conflict in the index again, with preferences, into the work tree."""
    from gitops_model.git.entries import INDEX, REGULAR, Entry
    from gitops_model.pipeline.diff_arguments import from_root

    path = from_root(word, repository)
    with ExitStack() as stack:
        blobs: list[Blob] = []
        for stage in (1, 2, 3):
            found = repository.git.run("rev-parse", "--verify", "--quiet", f":{stage}:{path}")
            oid = found.out.decode().strip() if found.code == 0 else None
            if oid is None and stage > 1:
                raise CouldNotRun(f"{path} is in no conflict of two sides", hint=f"git status -- {path}")
            empty = Blob.of_bytes(path, b"")
            blob = empty if oid is None else repository.blob(Entry(REGULAR | 0o644, oid, path), INDEX)
            blobs.append(blob)
            stack.callback(blob.close)
        return merge_blobs(blobs, path, os.path.join(repository.root or "", path), repository, prefer)


def merge_blobs(
    blobs: Sequence[Blob],
    path: str,
    target: str,
    repository: "Repository | None",
    prefer: Prefer = Prefer(),  # noqa: B008 - immutable
) -> Merged:
    sides: list[Side] = []
    for number, blob in enumerate(blobs):
        try:
            if not blob.content_is_local:
                raise CouldNotRun("only its pointer is here")
            sides.append(side_of(blob))
        except BadFile as error:
            return Merged(path, written=False, trouble=f"{SIDES[number]}: {error.problem.code} {error.problem.message}")
        except CouldNotRun as error:
            return Merged(path, written=False, trouble=f"{SIDES[number]}: {error}")
    formats = {one.model.format for one in sides if one.model.format != "empty"}
    if len(formats) != 1 or not formats <= {"safetensors", "numpy"}:
        return Merged(path, written=False, trouble="only safetensors and npz files are merged, of one format")
    decision = decide(sides[0], sides[1], sides[2], prefer)
    if decision.conflicts:
        return Merged(path, written=False, taken=decision.from_theirs, conflicts=decision.conflicts)
    try:
        put(decision, sides, blobs, target, repository)
    except BadFile as error:
        return Merged(path, written=False, trouble=f"{error.problem.code} {error.problem.message}")
    except UnicodeEncodeError:
        return Merged(path, written=False, trouble="a name or text is no valid Unicode")
    return Merged(path, written=True, taken=decision.from_theirs)


def side_of(blob: Blob) -> Side:
    """One side, every tensor digested. What is not wholly understood is not merged: BadFile."""
    from gitops_model.blob import NoSource

    if not blob.size:
        return Side(Model("empty", ()), ())  # both sides added the file: git hands over an empty base
    found = describe(Opened(blob, NoSource()))
    if found.model.problems:
        raise BadFile(found.model.problems[0])
    if found.model.format == "numpy" and "container" not in found.model.properties:
        raise CouldNotRun("a single array, which has no parts to merge")
    if None in found.digests:
        raise CouldNotRun("some of its tensors cannot be read")
    return found


def put(
    decision: Decision, sides: Sequence[Side], blobs: Sequence[Blob], target: str, repository: "Repository | None"
) -> None:
    """Write beside the target, read it back, then replace the target. Where ours is a pointer, the content goes to
    where git-lfs keeps its own. BadFile where what was written is not what was decided."""
    from gitops_model.blob import NoSource

    data = TensorBytes(blobs[OURS], NoSource()), TensorBytes(blobs[THEIRS], NoSource())
    folder = os.path.dirname(os.path.abspath(target))
    handle, draft = tempfile.mkstemp(prefix=".gitops-model-", dir=folder)
    try:
        with open(handle, "wb") as out:
            if sides[OURS].model.format == "safetensors":
                write_safetensors(decision, data, out)
            else:
                write_npz(decision, data, cast("BinaryIO", out), deflated=is_deflated(sides[OURS]))
            out.flush()
            os.fsync(out.fileno())
        check(decision, sides, draft)
        if blobs[OURS].pointer is not None and repository is not None:
            with open(draft, "rb") as content:
                pointer = repository.lfs.put(content.fileno())
            with open(draft, "wb") as out:
                out.write(pointer)
        mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o644
        os.chmod(draft, mode)
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise


def check(decision: Decision, sides: Sequence[Side], draft: str) -> None:
    """The file says what was decided: every tensor with its digest, and the metadata."""
    known = [contents(one) for one in sides]
    wanted = {one.tensor.name: known[one.side][one.tensor.name] for one in decision.tensors}
    with Blob.of_file(draft, "the merged file") as blob:
        found = side_of(blob)
    if contents(found) != wanted or found.model.metadata != decision.metadata:
        raise BadFile(Problem("GM002", "names that this format cannot hold came together"))


def is_deflated(one: Side) -> bool:
    from gitops_model.ir import Deflated, Strided, Swapped

    for tensor in one.model.tensors:
        locator = tensor.data
        while isinstance(locator, Strided | Swapped):
            locator = locator.base
        if isinstance(locator, Deflated):
            return True
    return False
