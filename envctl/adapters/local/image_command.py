"""The command line of ``image``: ``python -m envctl.adapters.local.image_command``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from envctl.adapters.local.image import Add, Directory, Image, Link, write_image

EXAMPLE = (
    "example: %(prog)s --name docker.io/shop/api:1 --add build/api:/api "
    "--entrypoint /api -o api.tar"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one image; returns 0, or 2 with one line on stderr when it cannot be made."""
    options = _parser().parse_args(arguments)
    try:
        digest = write_image(_image(options), options.output)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"image: {error}\n")
        return 2
    sys.stdout.write(f"{options.output} {options.name} {digest}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="image", description="Write an OCI image tar from files.", epilog=EXAMPLE
    )
    add = parser.add_argument
    add("--name", required=True, help="complete name, with registry and tag")
    add("--add", action="append", default=[], metavar="SOURCE:/PATH", help="a file or folder")
    add("--dir", action="append", default=[], metavar="/PATH[:UID[:GID[:MODE]]]", help="empty")
    add("--link", action="append", default=[], metavar="/PATH:TO", help="a symbolic link")
    add("--entrypoint", action="append", default=[], metavar="WORD", help="repeat for each word")
    add("--cmd", action="append", default=[], metavar="WORD", help="repeat for each word")
    add("--env", action="append", default=[], metavar="NAME=VALUE")
    add("--label", action="append", default=[], metavar="NAME=VALUE")
    add("--user", default="", help="UID[:GID] the program runs as (a number: needs no passwd)")
    add("--workdir", default="")
    add("--arch", default="", help="as Go names it; default: this machine's")
    add("-o", "--output", required=True, type=Path)
    return parser


def _image(options: argparse.Namespace) -> Image:
    contents: list[Add | Directory | Link] = [_add(text) for text in options.add]
    contents += [_directory(text) for text in options.dir]
    contents += [Link(*_split(text, "--link", "/PATH:TO")) for text in options.link]
    return Image(
        name=options.name,
        contents=tuple(contents),
        entrypoint=tuple(options.entrypoint),
        command=tuple(options.cmd),
        environment=tuple(options.env),
        user=options.user,
        workdir=options.workdir,
        labels=tuple(_split(text, "--label", "NAME=VALUE", "=") for text in options.label),
        architecture=options.arch,
    )


def _split(text: str, option: str, form: str, separator: str = ":") -> tuple[str, str]:
    left, found, right = text.partition(separator)
    if not (found and left and right):
        raise ValueError(f"{option} {text!r}: expected {form}")
    return left, right


def _add(text: str) -> Add:
    source, target = _split(text, "--add", "SOURCE:/PATH")
    return Add(Path(source), target)


def _directory(text: str) -> Directory:
    target, *numbers = text.split(":")
    uid, gid, mode = (*numbers, *("", "", "")[len(numbers) :])[:3]
    try:
        return Directory(target, int(uid or 0), int(gid or uid or 0), int(mode or "755", 8))
    except ValueError:
        raise ValueError(f"--dir {text!r}: expected /PATH[:UID[:GID[:MODE]]]") from None


if __name__ == "__main__":
    sys.exit(main())
