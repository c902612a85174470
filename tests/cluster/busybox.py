"""The image that the tests' pods run: Debian's static busybox, made with our own image writer."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters.local.image import Add, Directory, Image, Link, write_image

if TYPE_CHECKING:
    from tests.cluster.node import Envctl

NAME = "docker.io/envctl/busybox:1"


def write(output: Path) -> Path:
    """Write the image's archive, with a link for each of busybox' commands."""
    program = shutil.which("busybox")
    assert program, "the tests' pods need busybox: apt-get install busybox-static"
    listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
    names = [name for name in listed.stdout.split() if name != "busybox"]
    links = tuple(Link(f"/bin/{name}", "busybox") for name in names)
    contents = (Add(Path(program), "/bin/busybox"), Directory("/tmp", mode=0o1777), *links)
    write_image(Image(NAME, contents, command=("sh",), environment=("PATH=/bin",)), output)
    return output


def load(envctl: Envctl, node: str, env: dict[str, str] | None = None) -> None:
    """Give the image to an embedded node; once more does no harm."""
    with tempfile.TemporaryDirectory() as folder:
        archive = write(Path(folder) / "busybox.tar")
        envctl("local", "load", "--name", node, str(archive), env=env, check=0)
