"""`bump`: move a manifest's version as far as its models changed."""

import argparse

from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "write the version that a change of the models asks for into a manifest"
DESCRIPTION = f"""{SUMMARY}

The models in the work tree are compared with those of a base: where the version that HEAD has
was set, or --base. The version moves as far as `diff` says (under 0.y.z a minor bump is enough for
a breaking change), and not at all where it moved already. Only its characters are written."""
EPILOG = """examples:
  gitops-model bump
  gitops-model bump models/model.yaml --base origin/main
  gitops-model bump --part minor"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="MANIFEST", nargs="*", help="default: the only one in this folder, or below")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--base", metavar="REV", help="compare with this revision")
    how.add_argument("--part", choices=["major", "minor", "patch"], help="raise this part, whatever changed")


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.git.repository import Repository
    from gitops_model.pipeline.bump import bump
    from gitops_model.render.inert import for_terminal

    words = [*args.paths, *(args.literal or ())]
    if len(words) > 1:
        raise CouldNotRun("bump writes one manifest", hint="gitops-model bump --help")
    with Repository.open(context.cwd, context.environ) as repository:
        done = bump(repository, words[0] if words else None, args.base, args.part)
    context.stdout.write(f"{for_terminal(done.after)}\n")
    if done.before != done.after:
        context.say(f"{done.path}: {done.before} → {done.after} ({done.asked.bump}: {done.asked.reason})")
    elif done.asked.bump == "none":
        context.say(f"{done.path}: no model asks for another version")
    else:
        context.say(f"{done.path}: {done.after} is enough ({done.asked.bump}: {done.asked.reason})")
    return 0
