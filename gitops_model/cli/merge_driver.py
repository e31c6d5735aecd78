"""`merge-driver`: what git runs to merge weights."""

import argparse

from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "merge weights three-way by tensor, as git's merge driver"
DESCRIPTION = f"""{SUMMARY}

`init --hooks` sets it up for safetensors and npz files (merge=gitops-model in .gitattributes).
Tensors and keys of the metadata that only one side changed are taken from that side. What both
changed is a conflict: ours stays as it is, the conflicts are listed, and the exit status is 1.

  merge-driver BASE OURS THEIRS PATH      as git calls it; the result replaces OURS
  merge-driver --resolve PATH             merge a file in conflict again, settled by --ours and
                                          --theirs; then `git add` it

Nothing is averaged."""
EPILOG = """examples:
  gitops-model merge-driver --resolve model.safetensors --theirs head --ours ''
  git checkout --theirs -- model.safetensors        all of theirs"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help="the three versions, and the path in the repository")
    parser.add_argument("--resolve", metavar="PATH", help="merge a file that is in conflict again")
    for side in ("ours", "theirs"):
        parser.add_argument(
            f"--{side}",
            metavar="NAME",
            action="append",
            default=[],
            help=f"conflicts in this tensor, layer or key are settled with {side} ('': in all others)",
        )


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.merge.decide import Prefer
    from gitops_model.pipeline.merge.driver import merge_files, resolve

    words = [*args.files, *(args.literal or ())]
    if args.resolve is not None:
        if words:
            raise CouldNotRun("--resolve names its file itself")
        with Repository.open(context.cwd, context.environ) as repository:
            merged = resolve(repository, args.resolve, Prefer(tuple(args.ours), tuple(args.theirs)))
    elif len(words) != 4 or args.ours or args.theirs:
        raise CouldNotRun("BASE OURS THEIRS PATH, or --resolve PATH", hint="gitops-model merge-driver --help")
    else:
        merged = merge_files(words[:3], words[3], context.cwd, context.environ)
    if merged.written:
        context.say(f"{merged.path}: merged by tensor, {merged.taken} taken from theirs")
        return 0
    if merged.trouble:
        context.say(f"{merged.path}: not merged, ours is kept: {merged.trouble}")
        return 1
    context.say(f"{merged.path}: both sides changed, ours is kept:")
    for conflict in merged.conflicts[:100]:
        context.say(f"  {conflict.what} {conflict.name!r}: ours {conflict.ours}, theirs {conflict.theirs}")
    if len(merged.conflicts) > 100:
        context.say(f"  … {len(merged.conflicts) - 100} more")
    context.say("settle it, then git add", hint="gitops-model merge-driver --resolve PATH --theirs NAME --ours ''")
    return 1
