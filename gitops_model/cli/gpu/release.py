"""The arguments that say which release is meant; `gpu scan` and `gpu check` share them."""

import argparse
from typing import TYPE_CHECKING

from gitops_model.cli.arguments import paths_of

if TYPE_CHECKING:
    from gitops_model.pipeline.gpu.scan import Wanted


def add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="a model, a manifest, a library or engine, or one folder of packages; [REV:]PATH for a model or manifest",
    )
    group = parser.add_argument_group("the release")
    group.add_argument("--name", metavar="NAME", help="what the release is called in messages")
    group.add_argument(
        "--image",
        metavar="REF",
        help="its container image: an OCI layout, an archive of docker save, or a reference in a registry",
    )
    group.add_argument("--image-name", metavar="NAME", help="which image of an archive or layout that holds several")
    group.add_argument("--architecture", metavar="ARCH", help="which platform of an image that is for several")
    group.add_argument("--layers", action="store_true", help="look into the files of the image, not only its config")
    group.add_argument(
        "--packages", metavar="PATH", help="its Python packages: a site-packages folder or a requirements file"
    )
    group.add_argument(
        "--library-path", metavar="FOLDER", action="append", help="as LD_LIBRARY_PATH has it, inside (repeatable)"
    )
    group.add_argument(
        "--root", metavar="LIB", action="append", help="a library that is loaded; only these count (repeatable)"
    )
    group.add_argument("--batch", metavar="N", type=size, help="the batch size to plan for")
    group.add_argument(
        "--dimension",
        metavar="NAME=N",
        action="append",
        type=dimension,
        help="the size to plan for, by the symbol of a dimension (repeatable)",
    )


def size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 40):
        raise argparse.ArgumentTypeError(f"{text!r} is no size")
    return int(text)


def dimension(text: str) -> tuple[str, int]:
    name, equals, number = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=N")
    return name, size(number)


def wanted_of(args: argparse.Namespace) -> "Wanted":
    from gitops_model.pipeline.gpu.scan import Wanted

    return Wanted(
        words=tuple(paths_of(args)),
        name=args.name,
        image=args.image,
        image_name=args.image_name,
        architecture=args.architecture,
        layers=args.layers,
        packages=args.packages,
        library_path=tuple(args.library_path or ()),
        roots=tuple(args.root) if args.root else None,
        batch=args.batch,
        dimensions=dict(args.dimension or ()),
    )
