"""Gives an image to a running cluster's containerd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.adapters.local import supervise
from envctl.adapters.tools import run
from envctl.errors import ConfigError, EnvctlError

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.adapters.local.places import Place

#: Seconds that the import of an image may take.
LOAD_TIMEOUT = 600.0


def check(image: Path) -> None:
    """Raise ConfigError for an archive that is not there."""
    if not image.is_file():
        raise ConfigError(
            f"The image archive {image} does not exist.",
            why="`envctl local load` takes a file.",
            next="Write one with `docker save -o FILE IMAGE`, or with cluster/image.py.",
        )


async def load(there: Place, image: Path) -> tuple[str, ...]:
    """Import an archive; returns the names of its images, raises EnvctlError if it has none."""
    inside = supervise.read_status(there).inside
    programs = supervise.read_json(there.config)["programs"]
    done = await run(
        [
            f"{programs}/bin/ctr",
            # Sockets are files: through /proc, the one inside can be reached from here.
            *("--address", f"/proc/{inside}/root/run/containerd/containerd.sock"),
            *("--namespace", "k8s.io", "images", "import", str(image)),
        ],
        timeout=LOAD_TIMEOUT,
    )
    if done.code:
        raise EnvctlError(
            f"{image} could not be loaded.",
            why=(done.stderr.strip().splitlines() or ["containerd gave no reason"])[-1] + ".",
            next="It has to be an OCI layout or what `docker save` writes, as a tar.",
        )
    lines = done.stdout.decode(errors="replace").splitlines()
    return tuple(line.split()[0] for line in lines if line.split()[1:2] == ["saved"])
