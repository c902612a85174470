"""The life of a pull request on a real Gitea, whose jobs make and remove a real environment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from envctl.model.lifetime import EXTENDED, moment
from tests.cluster.app import PAUSE
from tests.gitea.repository import Repository
from tests.gitea.runner import Runner
from tests.unit.repository.files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Kubectl, Node
    from tests.gitea.server import Gitea

pytestmark = pytest.mark.xdist_group("gitea")

REFUSAL = "No environment was made, as this change comes from a fork"
CONFIG = """\
apiVersion: envctl.dev/v1
project: {project}
cluster: {{context: {context}, allowed: [{context}]}}
components:
  - {{name: web, manifests: [web.yaml]}}
"""
# As an application must be for the enforced Pod Security standard of the profile ``confined``.
WEB = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext:
        {{runAsNonRoot: true, runAsUser: 1000, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: web
          image: {PAUSE}
          imagePullPolicy: IfNotPresent
          resources: {{limits: {{cpu: 50m, memory: 16Mi}}}}
          securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
"""


@pytest.fixture
def repository(gitea: Gitea, node: Node, project: str) -> Repository:
    """A repository with an application, the two workflows and access to the node."""
    files = {
        "envctl.yaml": CONFIG.format(project=project, context=node.context),
        "web.yaml": WEB,
        **{f".gitea/workflows/{name}": _workflow(name, project, node.context)
           for name in ("environment.yml", "gc.yml")},
    }  # fmt: skip
    made = Repository(gitea).create(files)
    made.secret("ENVCTL_KUBECONFIG", node.kubeconfig.read_text())
    return made


@pytest.fixture
def runner(gitea: Gitea, tmp_path: Path) -> Runner:
    """A runner whose machine has no access to the cluster of its own."""
    return Runner(gitea, tmp_path)


def _workflow(name: str, project: str, context: str) -> str:
    """A template with its inputs filled in, as docs/ci-gitea.md says."""
    text = (ROOT / "ci-templates/gitea" / name).read_text()
    for variable, value in (("PROJECT: shop", f"PROJECT: {project}"),
                            ("CONTEXT: preview", f"CONTEXT: {context}"),
                            ("CONTEXTS: preview", f"CONTEXTS: {context}")):  # fmt: skip
        assert f"ENVCTL_{variable}" in text or f"ALLOWED_{variable}" in text
        text = text.replace(variable, value)
    return text


def test_a_pull_request_from_a_branch_has_an_environment_until_it_is_merged(
    repository: Repository, runner: Runner, kubectl: Kubectl, node: Node, project: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    sha = repository.commit("feature", {"README": "1"}, new=True)
    number = repository.pull("feature")
    opened = runner.run().check("success")
    (comment,) = repository.comments(number)
    namespace = kubectl("get", "namespace", f"{project}-mr-{number}")
    assert namespace["metadata"]["annotations"]["envctl.dev/commit"] == sha

    pushed = repository.commit("feature", {"web.yaml": WEB.replace("replicas: 1", "replicas: 2")})
    updated = runner.run().check("success")
    again = kubectl("get", "namespace", f"{project}-mr-{number}")
    assert again["metadata"]["uid"] == namespace["metadata"]["uid"]
    assert again["metadata"]["annotations"]["envctl.dev/commit"] == pushed
    web = kubectl("get", "deployment", "web", "-n", f"{project}-mr-{number}")
    assert web["status"]["readyReplicas"] == 2

    repository.merge(number)
    merged = runner.run().check("success")
    assert "Check out the commit" not in merged.codes
    assert not kubectl.exists("namespace", f"{project}-mr-{number}")

    # One comment, edited in place: by the job's own token, whose rights the workflow asks for.
    assert sha[:8] in comment["body"]
    (last,) = repository.comments(number)
    assert last["id"] == comment["id"]
    assert "Gone" in last["body"]

    # Neither a log nor a folder of the runner has what the jobs were given.
    for ran in (opened, updated, merged):
        assert not [name for name, value in ran.secrets.items() if value in ran.log]
    key = next(line for line in node.kubeconfig.read_text().splitlines() if "client-key" in line)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if key.strip().encode() in path.read_bytes()]


def test_what_was_half_made_is_gone_with_its_branch_and_once_more(
    repository: Repository, runner: Runner, kubectl: Kubectl, project: str
) -> None:
    repository.commit("feature", {"README": "1"}, new=True)
    number = repository.pull("feature")
    namespace = f"{project}-mr-{number}"
    runner.run(kill_when=lambda: kubectl.exists("namespace", namespace)).check("failure")

    repository.delete_branch("feature")
    runner.run().check("success")
    assert not kubectl.exists("namespace", namespace)

    repository.dispatch("environment.yml", number=str(number), action="down")
    runner.run().check("success")


def test_a_change_from_a_fork_waits_for_a_maintainer(
    repository: Repository, runner: Runner, gitea: Gitea, kubectl: Kubectl, project: str
) -> None:
    stranger, token = gitea.stranger()
    fork = repository.fork(stranger, token)
    sha = fork.commit("theirs", {"README": "1"}, new=True)
    number = repository.pull(f"{stranger}:theirs", token=token)
    namespace = f"{project}-mr-{number}"

    assert runner.offered() is None, "Gitea asks first, for somebody whom it does not know"
    repository.approve(gitea.password)
    refused = runner.run().check("failure")
    assert refused.codes["Refuse a change from a fork"] == 77
    assert REFUSAL in refused.log
    assert "envctl" not in refused.codes
    assert set(refused.secrets) == {"GITHUB_TOKEN", "GITEA_TOKEN"}
    assert not kubectl.exists("namespace", namespace)

    repository.dispatch("environment.yml", number=str(number), action="up", commit=sha)
    runner.run().check("success")
    made = kubectl("get", "namespace", namespace)
    assert made["metadata"]["labels"]["envctl.dev/profile"] == "confined"
    assert made["metadata"]["annotations"]["envctl.dev/commit"] == sha

    repository.dispatch("environment.yml", number=str(number), action="extend")
    runner.run().check("success")
    longer = moment(kubectl("get", "namespace", namespace)["metadata"]["annotations"][EXTENDED])
    assert longer
    assert longer > datetime.now(UTC) + timedelta(hours=20)

    repository.dispatch("gc.yml", mode="delete")
    runner.run().check("success")
    assert kubectl.exists("namespace", namespace), "its pull request is open"

    repository.close(number)
    runner.run().check("skipped")
    repository.dispatch("gc.yml", mode="delete")
    runner.run().check("success")
    assert not kubectl.exists("namespace", namespace)


def test_a_push_ends_the_run_for_the_push_before_it(repository: Repository, runner: Runner) -> None:
    repository.commit("feature", {"README": "1"}, new=True)
    number = repository.pull("feature")
    first = runner.take()
    repository.commit("feature", {"README": "2"})
    runner.take()
    assert runner.was_cancelled(first)
    repository.close(number)
    stop = runner.take()
    repository.reopen(number)
    runner.take()
    assert not runner.was_cancelled(stop)
