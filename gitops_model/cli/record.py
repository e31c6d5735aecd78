"""`record`: hash models, and keep the digests in git notes."""

import argparse

from gitops_model.cli.arguments import add_output, paths_of
from gitops_model.cli.context import Context

SUMMARY = "hash models and keep the digests in git notes"

DESCRIPTION = """\
Hash models and keep the digests in refs/notes/gitops-model, on the blobs.

Without --staged, --rev or --all: the models of the index. A model that has a valid note
is not hashed again. Nothing is downloaded: where Git LFS has not got the content, what
its pointer states is recorded."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--staged", action="store_true", help="only the models that the next commit adds or changes")
    which.add_argument("--rev", metavar="REV", help="the models of a commit")
    which.add_argument("--all", action="store_true", help="every version of every model in all commits")
    parser.add_argument("--file-digests", action="store_true", help="also the SHA-256 and BLAKE3 of whole files")
    parser.add_argument("--lfs-fetch", action="store_true", help="let Git LFS download content that is not here")
    parser.add_argument(
        "--jobs", metavar="N", type=int, help="threads (default: one per processor; 1 for spinning disks)"
    )
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a model file or a folder")
    add_output(parser, ["text", "json"])


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.git.discovery import ask

    asked = ask(context.cwd, context.environ)  # git answers while the rest is imported
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.record import Options, record

    with Repository.open(context.cwd, context.environ, asked) as repository:
        outcome = record(
            repository,
            staged=args.staged,
            revision=args.rev,
            history=args.all,
            paths=paths_of(args),
            options=Options(args.file_digests, args.lfs_fetch, args.jobs),
            progress=context.progress(),
        )
    emit("record", outcome, args, context)
    return int(any(file.state == "failed" for file in outcome.files))
