"""One repository as the rest of the package sees it: places, entries, blobs, sources."""

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from gitops_model.blob import Blob, Pointer
from gitops_model.errors import BadFile, CouldNotRun, Problem
from gitops_model.git import changes as _changes
from gitops_model.git import dvc_names
from gitops_model.git.changes import Change
from gitops_model.git.command import Git, failed
from gitops_model.git.discovery import DISCOVER, ask
from gitops_model.git.disk import open_below
from gitops_model.git.entries import INDEX, WORKTREE, Entry, Place, parse_conflicts, parse_index, parse_tree
from gitops_model.git.lfs import Store
from gitops_model.git.objects import (
    MANY,
    SMALL,
    GitObjects,
    LibraryObjects,
    Objects,
    open_library,
    spool,
    stream_to,
)
from gitops_model.git.paths import raw, text
from gitops_model.git.pointers import LIMIT as POINTER_LIMIT
from gitops_model.git.pointers import parse
from gitops_model.git.source import RepositorySource
from gitops_model.git.trees import Trees
from gitops_model.git.worktree import expect_unmodified, smudged, unmodified


class Repository:
    """`root` is the top of the work tree, None in a bare repository. Opened with `Repository.open`."""

    def __init__(
        self,
        git: Git,
        *,
        root: str | None,
        git_dir: str,
        common_dir: str,
        object_format: str,
        is_shallow: bool,
        prefix: str = "",
    ) -> None:
        self.git = git
        self.root = root
        self.git_dir = git_dir
        self.common_dir = common_dir
        self.object_format = object_format
        self.is_shallow = is_shallow
        self.prefix = prefix
        """Where the caller stands below `root`, "" or with a final `/`: what relative paths of arguments start from."""
        self.lfs = Store(self)
        self._git_objects = GitObjects(git)
        self._library: LibraryObjects | None = None
        self._library_refused = False
        self._trees: Trees | None = None
        self._roots: dict[str, str] = {}

    # --- opening ----------------------------------------------------------------------------------------------------
    @classmethod
    def open(cls, cwd: str, environ: Mapping[str, str], asked: Git | None = None) -> Self:
        """The repository that git finds from `cwd` under `environ`. CouldNotRun when there is none, or not for us.

        `asked` is what `discovery.ask` gave for the same folder and environment.
        """
        git = asked or ask(cwd, environ)
        result, env = git.run(*DISCOVER), git.environ
        if result.code:
            raise failed(("rev-parse",), result)
        lines = text(result.out).split("\n")
        if lines[0] != "true":
            lines.insert(3, "")  # outside a work tree, --show-cdup prints nothing at all
        if len(lines) != 7 or lines[6]:
            raise CouldNotRun("the path of the repository holds a line break, or git is older than 2.31")
        inside, shallow, object_format, up, git_dir, common_dir = lines[:6]
        root = os.path.realpath(os.path.join(cwd, up)) if inside == "true" else None
        # From here on git runs at the root: what the environment says relative to `cwd` becomes absolute.
        if "GIT_INDEX_FILE" in env:
            env["GIT_INDEX_FILE"] = os.path.join(root or cwd, env["GIT_INDEX_FILE"])
        if "GIT_DIR" in env or "GIT_WORK_TREE" in env:
            env["GIT_DIR"] = git_dir
            if root is not None:
                env["GIT_WORK_TREE"] = root
        here = os.path.realpath(cwd)
        prefix = "" if root is None or here == root else here[len(root.rstrip("/")) + 1 :] + "/"
        return cls(
            Git(root or git_dir, env),
            root=root,
            git_dir=git_dir,
            common_dir=common_dir,
            object_format=object_format,
            is_shallow=shallow == "true",
            prefix=prefix,
        )

    @classmethod
    def find(cls, cwd: str, environ: Mapping[str, str]) -> Self | None:
        """As `open`, but None where there is no repository at all."""
        try:
            return cls.open(cwd, environ)
        except CouldNotRun as error:
            if "not a git repository" in str(error):
                return None
            raise

    @property
    def is_bare(self) -> bool:
        return self.root is None

    @property
    def id_length(self) -> int:
        """Bytes of an object id."""
        return 32 if self.object_format == "sha256" else 20

    def close(self) -> None:
        self.git.close()
        self._git_objects.close()
        if self._library is not None:
            self._library.close()
            self._library = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- objects ----------------------------------------------------------------------------------------------------
    def expect(self, path: str) -> None:
        """Ask git already what a run over the file at `path`, from the root, will want to know of it."""
        self.git.expect(*_staged((path,)), times=2)  # `unmodified` asks the same
        try:
            info = os.lstat(raw(f"{self.root}/{path}"))
        except OSError:
            return
        if stat.S_ISREG(info.st_mode) and info.st_size > SMALL:
            expect_unmodified(self.git, path)
            self._git_objects.expect()

    def objects(self, count: int = 1) -> Objects:
        """The reader of small objects that is cheaper for `count` of them."""
        if count >= MANY or "pygit2" in sys.modules:
            return self.library or self._git_objects
        return self._git_objects

    @property
    def library(self) -> LibraryObjects | None:
        """pygit2 on this repository; None where libgit2 refuses it."""
        if self._library is None and not self._library_refused:
            opened = open_library(self.common_dir, self.git.environ)
            self._library = LibraryObjects(opened) if opened is not None else None
            self._library_refused = opened is None
        return self._library

    def resolve(self, revision: str, kind: str = "commit") -> str:
        """The id of the commit (or `kind`) that a revision names."""
        oid = self.lookup(revision, kind)
        if oid is None:
            raise CouldNotRun(f"{revision!r} names no {kind} here", hint="git log --oneline --all")
        return oid

    def lookup(self, revision: str, kind: str = "commit") -> str | None:
        """As `resolve`, but None when there is no such thing."""
        if not revision or revision.startswith("-") or "\0" in revision:
            return None
        result = self.git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{{kind}}}")
        return result.out.strip().decode() if result.code == 0 else None

    @property
    def trees(self) -> Trees:
        """The tree objects of commits."""
        if self._trees is None:
            self._trees = Trees(self.objects(), self.id_length)
        return self._trees

    def _tree_of(self, revision: str) -> str:
        """The root tree of a revision; that of a whole id is remembered, since it cannot change."""
        known = self._roots.get(revision)
        if known is None:
            known = self.resolve(revision, "tree")
            if len(revision) == 2 * self.id_length:
                self._roots[revision] = known
        return known

    # --- places -----------------------------------------------------------------------------------------------------
    def changes(
        self,
        *,
        staged: bool = False,
        old: str | None = None,
        new: str | None = None,
        merge_base: bool = False,
        paths: Iterable[str] = (),
        renames: bool = False,
    ) -> list[Change]:
        """As `git diff`: index → work tree; `staged`: HEAD (or `old`) → index; `old` → work tree; `old` → `new`."""
        if self.is_bare and new is None:
            raise CouldNotRun("a bare repository has no index and no work tree", hint="name two revisions")
        return _changes.diff(
            self.git,
            staged=staged,
            old=None if old is None else self.resolve(old),
            new=None if new is None else self.resolve(new),
            merge_base=merge_base,
            paths=tuple(paths),
            renames=renames,
        )

    def entries(self, place: Place, paths: Iterable[str] = ()) -> Iterator[Entry]:
        """The files of a place, in git's order; `paths` are literal files or folders, from the root."""
        names = tuple(name.rstrip("/") for name in paths)
        if place is WORKTREE:
            yield from self._work_tree(names)
        elif place is INDEX:
            self._need_index()
            yield from parse_index(self.git.out(*_staged(names)))
        else:
            tree = self._tree_of(place)
            yield from parse_tree(self.git.out("ls-tree", "-r", "-z", "--full-tree", tree, "--", *names))

    def entry(self, place: Place, path: str) -> Entry | None:
        """The file, symbolic link or submodule at exactly this path."""
        if isinstance(place, str):
            return self.trees.find(self._tree_of(place), path)
        return next((entry for entry in self.entries(place, (path,)) if entry.path == path), None)

    def folder(self, place: Place, folder: str) -> list[Entry]:
        """The files that lie directly in a folder ("" is the root) of a commit or of the index."""
        if isinstance(place, str):
            return self.trees.folder(self._tree_of(place), folder)
        self._need_index()
        pattern = re.sub(r"([*?\[\\])", r"\\\1", folder) + "/*" if folder else "*"
        args = ("ls-files", "-s", "-z", "--", f":(top,glob){pattern}")
        result = self.git.run(*args, env={"GIT_LITERAL_PATHSPECS": "0"})
        if result.code:
            raise failed(args, result)
        return parse_index(result.out)

    def _need_index(self) -> None:
        if self.is_bare:
            raise CouldNotRun("a bare repository has no index", hint="name a revision with --rev")

    def _work_tree(self, names: tuple[str, ...]) -> Iterator[Entry]:
        """Tracked and untracked, not ignored, files that are on disk."""
        self._need_index()
        root = self.root or ""
        touched = _changes.touched(self.git, names)
        index = self.git.out(*_staged(names))
        tracked = {entry.path: entry for entry in parse_index(index)}
        others = self.git.out("ls-files", "-o", "--exclude-standard", "-z", "--", *names)
        for path in sorted({*tracked, *parse_conflicts(index), *(text(name) for name in others.split(b"\0") if name)}):
            entry = tracked.get(path)
            if entry is not None and path not in touched:
                yield entry
                continue
            try:
                mode = os.lstat(raw(f"{root}/{path}")).st_mode
            except OSError:
                continue
            if not stat.S_ISDIR(mode):
                yield Entry(mode, None, path)
            elif entry is not None and entry.is_gitlink:
                yield entry._replace(oid=None)

    # --- bytes ------------------------------------------------------------------------------------------------------
    def blob(self, entry: Entry, place: Place, *, fetch: bool = False) -> Blob:
        """The bytes of an entry, pointers resolved where their content is here; `fetch` downloads it otherwise.

        Raises BadFile: GM008 for a symbolic link or submodule, GM003 for a blob that a partial clone lacks.
        """
        if not entry.is_regular:
            from gitops_model.blob import not_regular

            found = "a submodule" if entry.is_gitlink else None
            problem = not_regular(entry.mode)
            raise BadFile(problem if found is None else Problem("GM008", f"this is {found}, not a regular file"))
        if place is WORKTREE:
            return self._resolved(self._from_work_tree(entry), fetch)
        assert entry.oid is not None
        header = self.objects().header(entry.oid)
        if header is None:
            raise BadFile(
                Problem(
                    "GM003",
                    f"the content of blob {entry.oid} is not here (a partial clone downloads it on demand)",
                    hint=f"git cat-file -e {entry.oid}",
                )
            )
        if header.size <= SMALL:
            data = self.objects().read(entry.oid)
            assert data is not None
            return self._resolved(Blob.of_bytes(entry.path, data, oid=entry.oid), fetch)
        fd = unmodified(self, entry, header.size)
        if fd is None:
            fd = spool(self.git.environ, header.size)
            try:
                stream_to(self.git, entry.oid, fd)
            except BaseException:
                os.close(fd)
                raise
        return Blob.of_fd(entry.path, fd, oid=entry.oid)

    def source(self, place: Place, folder: str = "") -> RepositorySource:
        """The door to the other files of a model in `folder` ("" is the root)."""
        return RepositorySource(self, place, folder)

    def on_disk(self, path: str, called: str) -> Blob:
        """A file of the work tree, tracked or not, a pointer resolved; for messages it is `called` so."""
        return self._resolved(Blob.of_fd(path, open_below(self.root or "", path, called)), fetch=False)

    def _from_work_tree(self, entry: Entry) -> Blob:
        try:
            fd = open_below(self.root or "", entry.path, entry.path)
        except BadFile as error:
            problem = error.problem
            if problem.code == "GM010":
                raise CouldNotRun(f"{entry.path}: no such file") from error
            raise BadFile(problem._replace(code="GM008")) from error
        return Blob.of_fd(entry.path, fd, oid=entry.oid)

    def _resolved(self, blob: Blob, fetch: bool) -> Blob:
        """The content behind a pointer, or the pointer marked as such."""
        if dvc_names.is_pointer_path(blob.path) and blob.size <= dvc_names.LIMIT:
            return self._dvc_content(blob)
        if blob.size >= POINTER_LIMIT or (pointer := parse(data := blob.read(0, blob.size))) is None:
            return blob
        fd = None
        if pointer.system == "lfs":
            fd = self.lfs.open(pointer)
            if fd is None:
                fd = smudged(self, blob, pointer)
            if fd is None and fetch:
                self.lfs.fetch(pointer, blob.path, data)
                fd = self.lfs.open(pointer)
        return _behind(blob, blob.path, pointer, fd)

    def _dvc_content(self, blob: Blob) -> Blob:
        """The content for a `.dvc` file that stands for one file, under that file's path; any other as it is."""
        from gitops_model.git import dvc

        outs = dvc.parse(blob.read(0, blob.size), blob.path)
        if len(outs) != 1 or outs[0].is_folder or blob.path.endswith(dvc_names.LOCK):
            return blob
        return _behind(blob, outs[0].path, outs[0].pointer, dvc.Cache(self).open(outs[0]))


def _staged(names: tuple[str, ...]) -> tuple[str, ...]:
    return ("ls-files", "-s", "-v", "-z", "--", *names)


def _behind(blob: Blob, path: str, pointer: Pointer, fd: int | None) -> Blob:
    """The blob for what stands at `path`: content from `fd`, or else the bytes of the pointer itself."""
    if fd is None:
        data = blob.read(0, blob.size)
        here = Blob(path, len(data), data=data, oid=blob.oid, pointer=pointer, content_is_local=False)
    else:
        here = Blob.of_fd(path, fd, oid=blob.oid)
        here.pointer = pointer
    blob.close()
    return here
