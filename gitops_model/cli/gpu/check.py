"""`gpu check`: one release against its machines."""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.cli.gpu.release import add_release, size, wanted_of

SUMMARY = "say whether a release runs on the machines that it is meant for"
DESCRIPTION = f"""{SUMMARY}

The answer for each target is allow, jit-fallback (it runs after compiling PTX on the machine),
reject, or unknown; each reason names the error that it predicts, the rule and its source, and
what to change. Exit status 0 for allow and jit-fallback, 1 for reject and unknown. The verdict
is kept in the notes on the model, for `gpu history`."""
EPILOG = """examples:
  gitops-model gpu check models/resnet/model.yaml --fleet
  gitops-model gpu check model.onnx --target l4 --target h100 --image ghcr.io/acme/serve:1.2
  gitops-model gpu check --requirements requirements.yaml --target fleet/node.yaml --format json

Ready-made targets: t4 a10g a100-40gb a100-80gb l4 l40s h100 h200 b200 gb200 rtx-4090 rtx-5090 orin
thor. A target with a slash or an ending (.yaml .yml .json) is a file; `here` is this machine."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_release(parser)
    parser.add_argument("--requirements", metavar="FILE", help="what the release needs, instead of finding out")
    parser.add_argument(
        "--target", metavar="FILE|PROFILE", action="append", help="a machine; `here`: this one (repeatable)"
    )
    parser.add_argument(
        "--fleet",
        action="store_true",
        help="the targets that the manifest declares, else the configuration (default without --target)",
    )
    parser.add_argument("--no-record", action="store_true", help="do not keep the verdict in the notes on the model")
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--smoke",
        action="store_true",
        help="run the models here, on the GPU and on the CPU as reference (targets default to this machine)",
    )
    group.add_argument(
        "--input",
        metavar="NAME=VALUE",
        action="append",
        type=fixed,
        help="the value of every element of an input, where made-up ones make no sense (repeatable)",
    )
    group.add_argument("--runs", metavar="N", type=size, default=20, help="timed runs (default: 20)")
    group.add_argument("--seed", metavar="N", type=int, default=0, help="what the inputs are made of (default: 0)")
    group.add_argument("--seconds", metavar="N", type=size, default=300, help="limit of each run (default: 300)")
    group.add_argument("--memory", metavar="MIB", type=size, default=16384, help="limit of each run (default: 16384)")
    add_output(parser, ("text", "json", "markdown"))


def fixed(text: str) -> tuple[str, float]:
    name, equals, number = text.rpartition("=")
    try:
        return (name, float(number)) if equals and name else ("", float("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER") from None


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline.gpu.check import Asked, check
    from gitops_model.pipeline.run_model import Task

    asked = Asked(
        wanted_of(args),
        requirements=args.requirements,
        targets=tuple(args.target or ()),
        fleet=args.fleet,
        record=not args.no_record,
        smoke=args.smoke,
        fixed=dict(args.input or ()),
        task=Task(runs=args.runs, seed=args.seed, seconds=args.seconds, memory=args.memory << 20),
    )
    found = check(asked, context.cwd, context.environ)
    emit("gpu.check", found, args, context)
    for line in found.unrecorded:
        context.say(f"the verdict is not kept: {line}")
    if found.verdict == "jit-fallback":
        context.say("warning: it runs only after its PTX was compiled on the machine")
    return int(found.verdict not in ("allow", "jit-fallback"))
