"""What `init` writes for repositories that nobody here wrote comes up and goes, with no edit."""

from __future__ import annotations

import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.app import deployment
from tests.cluster.nginx import NGINX
from tests.cluster.node import Envctl, clean_environment, tool
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.node import Kubectl, Node

pytestmark = pytest.mark.timeout(600)

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: PART}
spec: {selector: {app: PART}, ports: [{name: PORT, port: 80}]}
"""
KUSTOMIZE = {
    "api/base/kustomization.yaml": "resources: [api.yaml, service.yaml]\n",
    "api/base/api.yaml": deployment("api", NGINX),
    "api/base/service.yaml": SERVICE.replace("PART", "api").replace("PORT", "http"),
    "api/overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n",
    "api/overlays/production/kustomization.yaml": "resources: [../../base]\nnamespace: live\n",
    "worker/worker.yaml": deployment("worker"),
    "worker/cluster.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: somewhere}\n",
}


class Repository:
    """A folder in which `init` was run, and what it wrote is used."""

    def __init__(self, folder: Path, envctl: Envctl, node: Node, project: str) -> None:
        self.folder, self.envctl, self.node, self.project = folder, envctl, node, project

    def run(self, *arguments: str, check: int = 0) -> Any:
        """A verb in the folder, and its document."""
        env = {"ENVCTL_PROJECT": self.project, "ENVCTL_CONTEXT": self.node.context}
        return self.envctl(*arguments, "-o", "json", cwd=self.folder, env=env, check=check).json

    def lives(self) -> dict[str, Any]:
        """validate → up → up → down of what was written, with no edit; the first `up`."""
        before = (self.folder / "envctl.yaml").read_bytes()
        assert self.run("validate")["valid"]
        made: dict[str, Any] = self.run("up", "--name", "it")
        assert made["result"] == "succeeded", made
        assert self.run("up", "--name", "it")["result"] == "unchanged"
        return made | {"unedited": before == (self.folder / "envctl.yaml").read_bytes()}

    def answer(self, made: dict[str, Any]) -> str:
        """What the environment answers at its host."""
        host = made["environment"]["url"].removeprefix("http://").partition(":")[0].rstrip("/")
        request = urllib.request.Request(self.node.ingress, headers={"Host": host})
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.read().decode())


def _answers(repository: Repository, made: dict[str, Any]) -> str:
    try:
        return repository.answer(made)
    except OSError as error:  # the ingress controller needs its moment
        return str(error)


@pytest.mark.usefixtures("nginx_image")
def test_a_chart_of_helm_create(envctl: Envctl, node: Node, project: str, tmp_path: Path) -> None:
    folder = tmp_path / "Shop Front"
    (folder / "charts").mkdir(parents=True)
    subprocess.run([tool("helm"), "create", "web"], cwd=folder / "charts", check=True,
                   capture_output=True, env=clean_environment())  # fmt: skip
    repository = Repository(folder, envctl, node, project)
    found = repository.run("init", "--ci", "gitlab")
    assert found["written"] == ["envctl.yaml", ".gitlab-ci.yml"]
    assert [(c["name"], c["type"], c["path"]) for c in found["components"]] == [
        ("web", "helm", "charts/web")
    ]  # fmt: skip

    made = repository.lives()
    assert made["unedited"]
    assert repository.run("down", "--name", "it")["result"] == "gone"
    again = repository.run("init")
    assert again["exists"]
    assert again["written"] == []


@pytest.mark.usefixtures("nginx_image")
def test_overlays_beside_plain_manifests(
    envctl: Envctl, node: Node, kubectl: Kubectl, project: str,
    write: Callable[[dict[str, str]], Path],
) -> None:  # fmt: skip
    folder = write(KUSTOMIZE)
    repository = Repository(folder, envctl, node, project)
    found = repository.run("init")
    assert {c["name"]: c["path"] for c in found["components"]} == {
        "api": "api/overlays/dev", "worker": "worker"
    }  # fmt: skip
    assert {s["path"] for s in found["skipped"]} == {
        "api/overlays/production", "worker/cluster.yaml"
    }  # fmt: skip

    made = repository.lives()
    assert made["unedited"]
    assert kubectl.exists("deployment", "dev-api", "-n", f"{project}-it")
    until(lambda: _answers(repository, made), lambda text: "it works" in text, seconds=30)
    assert not kubectl.exists("namespace", "somewhere")
    assert repository.run("down", "--name", "it")["result"] == "gone"


@pytest.mark.usefixtures("nginx_image")
def test_the_one_service_that_speaks_http_answers_at_the_host(
    envctl: Envctl, node: Node, project: str, write: Callable[[dict[str, str]], Path]
) -> None:
    service = SERVICE.replace("PART", "web").replace("PORT", "http")
    folder = write(
        {"deploy/web/web.yaml": deployment("web", NGINX), "deploy/web/svc.yaml": service}
    )
    repository = Repository(folder, envctl, node, project)
    repository.run("init")
    made = repository.lives()
    until(lambda: _answers(repository, made), lambda text: "it works" in text, seconds=30)
    assert repository.run("down", "--name", "it")["result"] == "gone"
