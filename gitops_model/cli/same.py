"""`same`: do files hold the same weights?"""

import argparse

from gitops_model.cli.arguments import add_output
from gitops_model.cli.context import Context
from gitops_model.errors import CouldNotRun

SUMMARY = "say whether files of any formats hold the same weights"
DESCRIPTION = f"""{SUMMARY}

The first file is compared with each of the others: bit for bit, then with axes in another
order, then by measured distance, then as folded. Exit status 1 when weights are out of step."""
EPILOG = """examples:
  gitops-model same model.pt model.safetensors model.onnx
  gitops-model same --tolerance 1e-3 model.onnx model_fp16.onnx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tolerance",
        metavar="T",
        type=tolerance,
        default=1e-6,
        help="largest difference that still counts as the same, relative to a tensor's largest value (default: 1e-6)",
    )
    parser.add_argument("files", metavar="[REV:]PATH", nargs="*", help="two or more files")
    add_output(parser, ("text", "json"))


def tolerance(text: str) -> float:
    """A number from 0 to below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to below 1")
    return value


def run(args: argparse.Namespace, context: Context) -> int:
    from gitops_model.cli.output import emit
    from gitops_model.pipeline.same import same

    words = [*args.files, *(args.literal or ())]
    if len(words) < 2:
        raise CouldNotRun("same takes two files or more", hint="gitops-model same --help")
    found = same(words, context.cwd, context.environ, args.tolerance)
    emit("same", found, args, context)
    return 0 if all(item.sameness.same for item in found) else 1
