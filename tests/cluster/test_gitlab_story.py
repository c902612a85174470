"""The whole story: a chart that nobody here wrote, `envctl init`, one include, a merge request.

The pipelines are run by gitlab-ci-local, the merge request is on the GitLab of the contract tests,
the application on the node.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cluster.node import Envctl, Kubectl, Node, clean_environment, tool
from tests.cluster.pipelines import OURS, Pipelines
from tests.contract.gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    server = GitLab(tmp_path_factory.mktemp("gitlab"))
    server.add_project(int(OURS), "acme/shop").open(7, "feature/cart")
    server.start()
    yield server
    server.stop()


def _note(gitlab: GitLab) -> str:
    """The one note on the merge request."""
    (note,) = gitlab.state.projects[int(OURS)].merge_requests[7].notes
    return note.body


@pytest.fixture
def repository(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, node: Node, project: str,
    gitlab: GitLab, nginx_image: None,
) -> Pipelines:  # fmt: skip
    """A repository with a chart of `helm create`, and what `envctl init` has written for it."""
    del nginx_image
    (tmp_path / "charts").mkdir()
    subprocess.run([tool("helm"), "create", "web"], cwd=tmp_path / "charts", check=True,
                   capture_output=True, env=clean_environment())  # fmt: skip
    named = ("--project", project, "--context", node.context)
    Envctl()("init", "--ci", "gitlab", *named, cwd=tmp_path, check=0)
    written = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())
    (inputs,) = [item["inputs"] for item in written["include"] if "environment.yml" in str(item)]
    assert (inputs["project"], inputs["context"]) == (project, node.context)
    home = tmp_path_factory.mktemp("home")
    # The machine has no registry and no agent: the jobs run on it, with its own kubeconfig.
    given = {**inputs, "image": "envctl", "credential": "variable"}
    found = Pipelines(tmp_path, node, home, given, "environment")
    found.variables["KUBECONFIG"] = str(node.kubeconfig)
    found.forge = gitlab
    return found


def test_a_merge_request_from_open_to_merged(
    repository: Pipelines, gitlab: GitLab, kubectl: Kubectl, project: str, node: Node
) -> None:
    namespace = f"{project}-mr-7"
    repository.run()
    assert "Ready" in _note(gitlab)
    first = _note(gitlab)

    values = repository.folder / "charts" / "web" / "values.yaml"
    values.write_text(values.read_text().replace("replicaCount: 1", "replicaCount: 2"))
    repository.commit()
    repository.run()
    assert kubectl("get", "deployment", "web", "-n", namespace)["spec"]["replicas"] == 2
    assert "Ready" in _note(gitlab)
    assert _note(gitlab) != first, "edited in place"

    broken = values.read_text().replace("replicaCount: 2", "replicaCount: {{ nonsense")
    values.write_text(broken)
    repository.commit()
    repository.run(check=1)
    assert "Failed" in _note(gitlab)
    assert kubectl("get", "deployment", "web", "-n", namespace)["spec"]["replicas"] == 2

    # It is merged, and the stop job never ran: the clean-up asks the forge, and believes it.
    env = {
        **gitlab.variables(project=gitlab.state.projects[int(OURS)]),
        "KUBECONFIG": str(node.kubeconfig),
    }
    gc = ("gc", "--context", node.context, "--project", project, "-o", "json")
    kept = Envctl()(*gc, env=env, check=0).json
    assert kept["deleted"] == [], "it is still open"
    gitlab.state.projects[int(OURS)].merge_requests[7].state = "merged"
    done = Envctl()(*gc, env=env, check=0).json
    assert [entry["name"] for entry in done["deleted"]] == ["mr-7"], done
    assert not kubectl.exists("namespace", namespace)

    repository.run("envctl:down")  # and the stop job, once more
    assert "Gone" in _note(gitlab)
