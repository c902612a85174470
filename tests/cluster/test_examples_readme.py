"""The commands in the READMEs of the examples, typed as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import images
from tests.cluster.node import clean_environment

if TYPE_CHECKING:
    from tests.cluster.node import Kubectl, Node

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("example", ["minimal", "shop"])
def test_readme(example: str, kubectl: Kubectl, node: Node, project: str) -> None:
    readme = (images.EXAMPLES / example / "README.md").read_text()
    commands, shown = _console(readme)
    assert commands[0].startswith("envctl local start")  # the node of the tests runs already
    load = f"--load {node.name}" if node.name else ""
    script = "\n".join(commands[1:]).replace("--load", load)
    environment = clean_environment(
        {
            "KUBECONFIG": str(node.kubeconfig),
            "ENVCTL_CONTEXT": node.context,
            "ENVCTL_PROJECT": project,
        }
    )
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=images.EXAMPLES.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{script}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    for line in shown:
        assert re.search(_pattern(line), done.stdout, re.MULTILINE), said
    label = f"envctl.dev/project={project}"
    assert not kubectl.items("namespaces", "-l", label), "`envctl down` has left the namespace"


def _console(readme: str) -> tuple[list[str], list[str]]:
    """The commands of the page's console blocks, and the lines that it shows as their output."""
    blocks = re.findall(r"^```console\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return commands, [line for line in lines if not line.startswith("$ ")]


def _pattern(line: str) -> str:
    """The shown line, whatever the hashes in its pod's name are."""
    pod = r"[0-9a-z]+-[0-9a-z]{5}\b"
    return "^" + pod.join(map(re.escape, re.split(pod, line)))
