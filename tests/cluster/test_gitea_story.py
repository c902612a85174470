"""The whole story on a real Gitea: a chart that nobody here wrote, and what `envctl init` makes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.node import Envctl, clean_environment, tool
from tests.gitea.repository import Repository
from tests.gitea.runner import Runner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Kubectl, Node
    from tests.gitea.server import Gitea

pytestmark = [pytest.mark.xdist_group("gitea"), pytest.mark.timeout(600)]


def _made_by_init(folder: Path, project: str, node: Node) -> dict[str, str]:
    """The files of a repository with a chart of `helm create` after `envctl init`, by path."""
    (folder / "charts").mkdir(parents=True)
    subprocess.run([tool("helm"), "create", "web"], cwd=folder / "charts", check=True,
                   capture_output=True, env=clean_environment())  # fmt: skip
    named = ("--ci", "gitea", "--project", project, "--context", node.context)
    found = Envctl()("init", *named, "-o", "json", cwd=folder, check=0).json
    assert found["written"] == [
        "envctl.yaml", ".gitea/workflows/envctl.yml", ".gitea/workflows/envctl-gc.yml",
    ]  # fmt: skip
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@pytest.mark.usefixtures("nginx_image")
def test_a_pull_request_from_open_to_merged(
    gitea: Gitea, kubectl: Kubectl, node: Node, project: str, tmp_path: Path
) -> None:
    files = _made_by_init(tmp_path / "repository", project, node)
    repository = Repository(gitea).create(files)
    repository.secret("ENVCTL_KUBECONFIG", node.kubeconfig.read_text())
    work = tmp_path / "runner"
    work.mkdir()
    runner = Runner(gitea, work)

    values = files["charts/web/values.yaml"].replace("replicaCount: 1", "replicaCount: 2")
    repository.commit("feature", {"charts/web/values.yaml": values}, new=True)
    number = repository.pull("feature")
    runner.run().check("success")
    namespace = f"{project}-mr-{number}"
    web = kubectl("get", "deployment", "web", "-n", namespace)
    assert web["status"]["readyReplicas"] == 2
    (comment,) = repository.comments(number)
    assert "Ready" in comment["body"]

    repository.merge(number)
    runner.run().check("success")
    assert not kubectl.exists("namespace", namespace)
    (last,) = repository.comments(number)
    assert last["id"] == comment["id"]
    assert "Gone" in last["body"]
