"""The command of an example's ``build``: what it prints and in what order."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

from images import cache as images
from images.recipe import BuildError
from images.run import everywhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from images.cache import Built
    from images.recipe import Recipe


def main(project: str, recipes: Sequence[Recipe], usually: str) -> int:
    """Build what is missing, then print the lines that tell envctl of the images.

    Progress goes to stderr. Returns 0, or 1 with one message when an image cannot be built.
    """
    options = _parser(project, usually).parse_args()
    try:
        built = _build_all(project, recipes, usually)
        if options.load:
            _load(built, options.load)
    except BuildError as error:
        sys.stderr.write(f"build: {error}\n")
        return 1
    for image in built:
        name = f"ENVCTL_IMAGE_{image.name.upper()}"
        print(image.tar if options.tars else f"export {name}={image.reference}")
    return 0


def _parser(project: str, usually: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=f"Build the images of {project} (once; takes {usually}) and print the "
        "`export ENVCTL_IMAGE_NAME=...` lines that envctl takes them from.",
        epilog=f'example: eval "$(examples/{project}/build --load)"',
    )
    add = parser.add_argument
    load = "also load them into the embedded cluster, or the one of that name"
    add("--load", nargs="?", const="default", metavar="NAME", help=load)
    add("--tars", action="store_true", help="print the files of the images instead")
    return parser


def _build_all(project: str, recipes: Sequence[Recipe], usually: str) -> list[Built]:
    cache = images.folder()
    with images.only_one(cache):
        all_of_them = [(images.find(project, recipe, cache), recipe) for recipe in recipes]
        missing = [(built, recipe) for built, recipe in all_of_them if not built.tar.exists()]
        if missing:
            _say(f"building {len(missing)} of {len(recipes)} images (all: {usually})\n")
        for number, (built, recipe) in enumerate(missing, start=1):
            _say(f"[{number}/{len(missing)}] {built.reference} ... ")
            _say(f"{images.build(built, recipe, cache):.0f} s\n")
    return [built for built, _ in all_of_them]


def _load(built: Sequence[Built], cluster: str) -> None:
    envctl = next(everywhere("envctl"), None)
    if envctl is None:
        raise BuildError("--load needs the envctl command; `pip install .` puts it on PATH")
    command = [envctl, "local", "load", "--name", cluster, "--output", "text"]
    command += [str(image.tar) for image in built]
    done = subprocess.run(command, check=False, stdout=sys.stderr)
    if done.returncode:
        raise BuildError(f"envctl could not load the images (code {done.returncode})")


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
