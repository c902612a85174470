"""A set-up of `cluster init` on the node, and what its accounts are told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.adapters.kubernetes.cluster import KubernetesCluster
from envctl.adapters.kubernetes.connect import Target
from envctl.errors import EnvctlError, Refused
from envctl.model.objects import NAMESPACE
from tests.cluster.app import App
from tests.cluster.node import Envctl
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.cluster.node import Kubectl, Node

CONTEXT = "kind-narrow"
DOMAIN = "preview.test"
ENFORCE = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class SetUp:
    """A set-up in the cluster, named like its only project."""

    project: str
    options: tuple[str, ...]
    folder: Path
    node: Node
    kubectl: Kubectl

    def run(self, *more: str) -> Any:
        """`cluster init` by the administrator."""
        return Envctl(self.node.kubeconfig, self.folder)(
            "cluster", "init", "--name", self.project, *self.options,
            "--context", self.node.context, *more, check=0,
        )  # fmt: skip

    def kubeconfig(self, account: str) -> Path:
        """A kubeconfig of one of its accounts."""
        name = f"{self.project}-{account}"
        return self.kubeconfig_of(name, "envctl-system")

    def app(self, write: Callable[[dict[str, str]], Path], folder: Path) -> App:
        """The application, worked on by the pipeline's account."""
        envctl = Envctl(self.kubeconfig("pipeline"), folder)
        return App(envctl, self.node, self.kubectl, self.project, write)

    def kubeconfig_of(self, name: str, namespace: str) -> Path:
        """A kubeconfig of any service account."""
        token = self.kubectl.run("create", "token", name, "-n", namespace).stdout.strip()
        assert token
        config = self.kubectl("config", "view", "--raw", "--minify")
        config["users"] = [{"name": "narrow", "user": {"token": token}}]
        context = {"cluster": config["clusters"][0]["name"], "user": "narrow"}
        config["contexts"] = [{"name": CONTEXT, "context": context}]
        config["current-context"] = CONTEXT
        path = self.folder / name
        path.write_text(json.dumps(config))
        return path

    def asked(
        self, ask: Callable[[KubernetesCluster], Awaitable[Any]], account: str = "pipeline"
    ) -> Any:
        """What the API server answers to one of its accounts; an error is returned too."""

        async def one() -> Any:
            cluster = KubernetesCluster(Target(CONTEXT, str(self.kubeconfig(account))))
            try:
                return await ask(cluster)
            except EnvctlError as error:
                return error
            finally:
                await cluster.close()

        return asyncio.run(one())

    def namespace(self, name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
        """A namespace as an environment of the project has it."""
        own = {
            "app.kubernetes.io/managed-by": "envctl",
            "envctl.dev/project": self.project,
            "envctl.dev/name": name,
            ENFORCE: "baseline",
        }
        return {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": f"{self.project}-{name}", "labels": own | (labels or {})},
        }


def named(name: str) -> dict[str, Any]:
    """The metadata of an object."""
    return {"metadata": {"name": name}}


@contextlib.contextmanager
def others_locks(kubectl: Kubectl, project: str) -> Iterator[None]:
    """A lock that keeps `envctl-system`, as those of the tests beside this one should: theirs come
    and go, and in a moment without any the namespace would be taken from under them.
    """
    kubectl.run("create", "namespace", "envctl-system")  # a first run of envctl makes it
    name = f"{project}-others"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **named(name), "spec": {}}
    kubectl.run("apply", "-n", "envctl-system", "-f", "-", stdin=json.dumps(lease))
    yield
    assert kubectl.exists("namespace", "envctl-system"), "a lock keeps it"
    kubectl.run("delete", "lease", name, "-n", "envctl-system", "--wait=false")


def refused(answer: Any) -> bool:
    """Whether an admission policy has said no."""
    return isinstance(answer, Refused) and "ValidatingAdmissionPolicy" in answer.next


@contextlib.contextmanager
def set_up(node: Node, kubectl: Kubectl, folder: Path) -> Iterator[SetUp]:
    """A set-up whose limits are in force, with a stranger's namespace beside it."""
    project = f"t-{uuid.uuid4().hex[:8]}"
    options = ("--project", project, "--domain", DOMAIN, "--max-quota", "pods=60",
               "--view-group", f"{project}-people")  # fmt: skip
    found = SetUp(project, options, folder, node, kubectl)
    found.run("--apply")
    stranger = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{project}-not"}}
    kubectl.apply(json.dumps(stranger))
    # Policies are compiled and followed by a watch; the last one that was applied counts too.
    other = stranger | named(f"{project}-other")
    until(lambda: found.asked(lambda c: c.create(NAMESPACE, other)), refused)
    try:
        yield found
    finally:
        kubectl.run("delete", "namespace", "-l", f"envctl.dev/project={project}", "--wait=false")
        kubectl.run("delete", "namespace", f"{project}-not", f"{project}-other", "--wait=false")
        kubectl.run("delete", "lease", "-n", "envctl-system", "-l",
                    f"envctl.dev/project={project}")  # fmt: skip
        with others_locks(kubectl, project):
            found.run("--remove")
    left = kubectl.items("clusterrole,clusterrolebinding,validatingadmissionpolicy,priorityclass",
                         "-l", f"envctl.dev/setup={project}")  # fmt: skip
    assert left == []
