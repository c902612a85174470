"""What was never written for envctl deploys and comes down: a chart that Helm itself generates,
a kustomization that uses most of what kustomize can do, a folder of 300 manifests.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import images, manifests
from tests.cluster.browser import Browser
from tests.cluster.node import tool
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.node import Envctl, Kubectl, Node

pytestmark = pytest.mark.timeout(900)
DATA = Path(__file__).parent / "data"


class Project:
    """An envctl.yaml around sources, on the node: each verb twice, as law 1 has it."""

    def __init__(
        self, folder: Path, envctl: Envctl, node: Node, project: str, env: dict[str, str]
    ) -> None:
        self._envctl, self._folder = envctl, folder
        self._env = env
        self._chosen = ["--context", node.context, "--project", project, "--name", "it"]

    def up_twice(self) -> dict[str, Any]:
        """Deploy; the second run finds nothing to do. Returns what the first run printed."""
        first: dict[str, Any] = self._run("up", 0)
        assert first["result"] == "succeeded"
        second = self._run("up", 0)
        assert second["result"] == "unchanged", second
        assert not any(found["changed"] for found in second["components"])
        return first

    def down_twice(self) -> None:
        """Take it away; the second run finds nothing."""
        assert self._run("down", 0)["result"] == "gone"
        assert self._run("down", 0)["result"] == "absent"

    def up(self) -> dict[str, Any]:
        """Deploy once."""
        return self._run("up", 0)

    def _run(self, verb: str, code: int) -> dict[str, Any]:
        done = self._envctl(
            verb, *self._chosen, "-o", "json", cwd=self._folder, env=self._env, check=code
        )
        document: dict[str, Any] = done.json
        return document


@pytest.fixture
def hello(envctl: Envctl, node: Node) -> dict[str, str]:
    """The variables that name the image of examples/minimal, an HTTP server on port 8080."""
    return images.load("minimal", envctl, node)


def test_chart_from_helm_create(
    hello: dict[str, str],
    envctl: Envctl,
    kubectl: Kubectl,
    node: Node,
    project: str,
    write: Callable[[dict[str, str]], Path],
):
    repository, tag = hello["ENVCTL_IMAGE_HELLO"].rsplit(":", 1)
    folder = write(
        {
            "envctl.yaml": f"""
                apiVersion: envctl.dev/v1
                project: foreign
                environment: {{host: "${{namespace}}.localhost"}}
                components:
                  - name: site
                    helm:
                      chart: charts/site
                      values:
                        - image: {{repository: {repository}, tag: "{tag}"}}
                          service: {{port: 8080}}
                          fullnameOverride: site
                    expose: {{service: site, port: http}}
                """
        }
    )
    (folder / "charts").mkdir()
    subprocess.run(
        [tool("helm"), "create", "charts/site"], cwd=folder, check=True, capture_output=True
    )
    it = Project(folder, envctl, node, project, hello)
    environment = it.up_twice()["environment"]
    browser = Browser(node, environment["url"])
    answer = until(lambda: browser.get("/"), lambda found: found.status == 200)
    assert answer.text.startswith("Hello from site-")
    it.down_twice()
    assert not kubectl.exists("namespace", environment["namespace"])


def test_kustomization_with_overlays_and_generators(
    hello: dict[str, str],
    envctl: Envctl,
    kubectl: Kubectl,
    node: Node,
    project: str,
    write: Callable[[dict[str, str]], Path],
):
    folder = write(
        {
            "envctl.yaml": """
                apiVersion: envctl.dev/v1
                project: foreign
                environment: {host: "${namespace}.localhost"}
                components:
                  - name: greeter
                    kustomize: kustomize/overlays/preview
                    images: {registry.example.org/greeter: "${image.hello}"}
                    expose: {service: preview-greeter-v2, port: 8000}
                """
        }
    )
    shutil.copytree(DATA / "kustomize", folder / "kustomize")
    it = Project(folder, envctl, node, project, hello)
    environment = it.up_twice()["environment"]
    namespace = environment["namespace"]
    before = _generated(kubectl, namespace)
    browser = Browser(node, environment["url"])
    until(lambda: browser.get("/"), lambda found: found.status == 200)

    (folder / "kustomize/base/greeting.properties").write_text("greeting=goodbye\n")
    assert it.up()["result"] == "succeeded"
    after = _generated(kubectl, namespace)
    assert len(before) == len(after) == 1
    assert before != after, "the settings have changed, so must the name of their ConfigMap"

    it.down_twice()
    assert not kubectl.exists("namespace", namespace)


def test_folder_of_300_manifests(
    hello: dict[str, str],
    envctl: Envctl,
    kubectl: Kubectl,
    node: Node,
    project: str,
    write: Callable[[dict[str, str]], Path],
):
    folder = write(
        {
            "envctl.yaml": """
                apiVersion: envctl.dev/v1
                project: foreign
                components:
                  - name: everything
                    manifests: [manifests]
                    images: {example/hello: "${image.hello}"}
                """
        }
    )
    expected = manifests.write_300(folder / "manifests")
    it = Project(folder, envctl, node, project, hello)
    namespace = it.up_twice()["environment"]["namespace"]
    for kind, names in expected.items():
        found = {item["metadata"]["name"] for item in kubectl.items(kind, "-n", namespace)}
        assert names <= found, f"{kind}: {sorted(names - found)} are not there"

    removed = sorted(folder.glob("manifests/settings/*.yaml"))[:10]
    for file in removed:
        file.unlink()
    assert it.up()["result"] == "succeeded"
    left = {item["metadata"]["name"] for item in kubectl.items("configmaps", "-n", namespace)}
    assert not left & {file.stem for file in removed}, "what left the source was not pruned"
    assert len(left & expected["configmaps"]) == len(expected["configmaps"]) - len(removed)

    it.down_twice()
    assert not kubectl.exists("namespace", namespace)


def _generated(kubectl: Kubectl, namespace: str) -> list[str]:
    names = [item["metadata"]["name"] for item in kubectl.items("configmaps", "-n", namespace)]
    return [name for name in names if name.startswith("preview-greeter-settings-")]
