"""What the pages tell a reader to type works: blocks marked ``sh run`` are run, page by page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import images
from tests.cluster.node import clean_environment
from tests.unit.repository.files import ROOT, fenced, tracked

if TYPE_CHECKING:
    from tests.cluster.node import Envctl, Kubectl, Node

# The first run on a machine builds the image of the example.
pytestmark = pytest.mark.timeout(600)

PAGES = [path for path in tracked() if path.suffix == ".md" and fenced(path.read_text(), "sh run")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_the_page_work(
    page: Path, envctl: Envctl, kubectl: Kubectl, node: Node, project: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(images.EXAMPLES / "minimal", tmp_path / "minimal")
    environment = clean_environment(
        images.load("minimal", envctl, node)
        | {
            "KUBECONFIG": str(node.kubeconfig),
            "ENVCTL_CONTEXT": node.context,
            "ENVCTL_PROJECT": project,
        }
    )
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for block in fenced(page.read_text(), "sh run"):
        done = subprocess.run(
            ["sh", "-eux"],
            input=block,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert kubectl.run("get", "namespaces").returncode == 0
