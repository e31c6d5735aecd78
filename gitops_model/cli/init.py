"""`init`: a first manifest for models, or the hooks of a repository."""

import argparse

from gitops_model.cli.arguments import add_output, paths_of
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "write a first manifest for models, or set up the hooks of a repository"
DESCRIPTION = f"""{SUMMARY}

  init MODEL...        write model.yaml beside the model files: what they say about themselves, and
                       their digests
  init --hooks         without the pre-commit framework: git's own hooks (one that is there goes on
                       running, first), `git diff` for models, and notes with every `git fetch`
  init --uninstall     take what --hooks did away again, and put back what was there"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--hooks", action="store_true", help="set up hooks, diff driver, attributes and notes refspecs")
    what.add_argument("--uninstall", action="store_true", help="undo --hooks")
    parser.add_argument("paths", metavar="MODEL", nargs="*", help="model files of one folder")
    group = parser.add_argument_group("the manifest")
    group.add_argument(
        "--manifest", metavar="FILE", help="its name (default: model.yaml, or NAME.model.yaml); -: print it"
    )
    group.add_argument("--name", help="the model's name (default: that of the first file)")
    group.add_argument("--model-version", metavar="X.Y.Z", default="0.1.0", help="the model's version (default: 0.1.0)")
    group.add_argument("--architecture", metavar="ARCH", action="append", help="amd64 or arm64 (default: both)")
    group.add_argument(
        "--checksum", metavar="ALGORITHM", action="append", help="sha256, sha512 or blake3; repeat (default: sha256)"
    )
    group.add_argument("--force", action="store_true", help="replace a manifest that is there")
    add_output(parser, ("text", "json"))


def run(args: argparse.Namespace, context: Context) -> int:
    paths = paths_of(args)
    if (args.hooks or args.uninstall) and paths:
        raise CouldNotRun("--hooks and --uninstall are about the repository: name no files with them")
    if args.hooks or args.uninstall:
        return _set_up(args, context)
    if not paths:
        raise CouldNotRun("what is to be set up?", hint="gitops-model init MODEL, or: gitops-model init --hooks")
    from gitops_model.pipeline.init_manifest import ARCHITECTURES, init_manifest

    initial = init_manifest(
        context.cwd,
        context.environ,
        paths,
        output=args.manifest,
        name=args.name,
        version=args.model_version,
        architecture=args.architecture or ARCHITECTURES,
        algorithms=args.checksum or ("sha256",),
        force=args.force,
        progress=context.counter("reading"),
    )
    if initial.path is None:
        context.stdout.write(initial.text)
    else:
        from gitops_model.checks import command

        context.say(f"wrote {initial.path}", hint=command("git", "add", "--", initial.path))
    return 0


def _set_up(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline import setup

    with Repository.open(context.cwd, context.environ) as repository:
        steps = setup.install(repository, context.programs()) if args.hooks else setup.uninstall(repository)
    emit("setup", steps, args, context)
    return 0
