"""An image by the name that charts of `helm create` ask for; the tests' nodes reach no registry."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters.local.image import Add, Directory, Image, Link, write_image

if TYPE_CHECKING:
    from tests.cluster.node import Envctl, Node

NGINX = "docker.io/library/nginx:1.16.0"


def load(envctl: Envctl, node: Node, folder: Path) -> None:
    """Put a web server of that name on the node, which answers on port 80."""
    page = folder / "index.html"
    page.write_text("it works\n")
    program = shutil.which("busybox")
    assert program
    contents = (
        Add(Path(program), "/bin/busybox"), Add(page, "/www/index.html"),
        Link("/bin/httpd", "busybox"), Directory("/tmp", mode=0o1777),
    )  # fmt: skip
    command = ("/bin/httpd", "-f", "-p", "80", "-h", "/www")
    write_image(Image(NGINX, contents, command=command, environment=("PATH=/bin",)),
                folder / "nginx.tar")  # fmt: skip
    envctl("local", "load", "--name", node.name, str(folder / "nginx.tar"), check=0)
