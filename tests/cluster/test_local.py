"""What the embedded cluster promises, on one of the tests' own beside the node of the others."""

from __future__ import annotations

import stat
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import busybox
from tests.cluster.node import Envctl, Kubectl, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# One cluster for the whole module, so all of it runs in one worker.
pytestmark = [pytest.mark.xdist_group("local"), pytest.mark.timeout(300)]

NAME = "second"
FAKES = 3
PATIENCE = 60.0

WEB = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      securityContext: {runAsUser: 1000, fsGroup: 2000}
      containers:
        - name: web
          image: docker.io/envctl/busybox:1
          command: [sh, -c, "id > /data/index.html; exec httpd -f -p 8080 -h /data"]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: web.localhost
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - {name: client, image: "docker.io/envctl/busybox:1", command: [sleep, "86400"]}
"""

POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: FRIEND}}}]
      ports: [{port: http}]
"""


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Clusters of this module's own: their folders, and a kubeconfig of the user's."""
    home = tmp_path_factory.mktemp("local")
    return {"ENVCTL_LOCAL_DIR": str(home / "clusters"), "KUBECONFIG": str(home / "mine")}


@pytest.fixture(scope="module")
def envctl(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """``envctl local VERB --name second``, in this module's folders."""
    command = Envctl(cwd=tmp_path_factory.mktemp("cwd"))

    def run(verb: str, *args: str, check: int | None = 0, name: str = NAME) -> Any:
        return command("local", verb, "--name", name, *args, env=env, check=check, timeout=280)

    return run


@pytest.fixture(scope="module")
def second(envctl: Callable[..., Any], env: dict[str, str]) -> Iterator[Node]:
    """The cluster, with an application in it."""
    envctl("start", "--nodes-fake", str(FAKES))
    found = envctl("status", "-o", "json").json
    node = Node(NAME, Path(found["kubeconfig"]), found["context"], found["ingress"])
    busybox.load(Envctl(), NAME, env)
    Kubectl(node).apply(WEB)
    Kubectl(node).run("wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
    Kubectl(node).run("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
    yield node
    envctl("stop", "--delete")
    assert envctl("status", "-o", "json").json["state"] == "absent"
    assert not node.kubeconfig.parent.exists()


@pytest.fixture(scope="module")
def kubectl(second: Node) -> Kubectl:
    """kubectl on that cluster."""
    return Kubectl(second)


def until(what: str, ask: Callable[[], bool]) -> None:
    """Wait until it is so, or fail saying what was awaited."""
    deadline = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.1)


def fetch(kubectl: Kubectl, address: str, port: int) -> str:
    """What a web server answers to the client pod; Debian's busybox' own wget is no help."""
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {address} {port}"
    return kubectl.run("exec", "client", "--", "sh", "-c", request).stdout


def test_status_says_where_it_is(
    envctl: Callable[..., Any], second: Node, env: dict[str, str]
) -> None:
    found = envctl("status", "-o", "json").json
    assert found == {
        "name": NAME,
        "state": "running",
        "context": f"envctl-local-{NAME}",
        "kubeconfig": str(second.kubeconfig),
        "ingress": second.ingress,
        "version": "v1.37.2",
        "nodes": 1 + FAKES,
    }
    assert stat.S_IMODE(second.kubeconfig.stat().st_mode) == 0o600
    assert not Path(env["KUBECONFIG"]).exists(), "the user's own kubeconfig is not touched"


def test_start_again_changes_nothing(envctl: Callable[..., Any], second: Node) -> None:
    before = (second.kubeconfig.parent / "status.json").read_text()
    again = envctl("start", "--nodes-fake", str(FAKES), "-o", "json")
    assert again.json == envctl("status", "-o", "json").json
    assert (second.kubeconfig.parent / "status.json").read_text() == before


@pytest.mark.usefixtures("second")
def test_start_with_other_settings_is_refused(envctl: Callable[..., Any]) -> None:
    refused = envctl("start", "--profile", "control-plane", check=2)
    assert "envctl local stop" in refused.stderr


@pytest.mark.usefixtures("second")
def test_the_context_is_merged_when_asked(envctl: Callable[..., Any], env: dict[str, str]) -> None:
    envctl("start", "--nodes-fake", str(FAKES), "--merge-kubeconfig")
    mine = Path(env["KUBECONFIG"])
    assert f"envctl-local-{NAME}" in mine.read_text()
    mine.unlink()


def test_ingress_answers_by_name(second: Node) -> None:
    port = second.ingress.rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "web.localhost"})

    def answers() -> bool:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                # The folder of the volume was given to the pod's group.
                return b"groups=0,2000" in answer.read()
        except urllib.error.URLError:
            return False

    until("an answer through the ingress", answers)


def test_a_claim_is_bound_and_a_load_balancer_has_an_address(kubectl: Kubectl) -> None:
    assert kubectl("get", "pvc", "data")["status"]["phase"] == "Bound"
    address = kubectl("get", "service", "web")["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert "uid=1000" in fetch(kubectl, address, 80)


def test_a_released_volume_is_removed(kubectl: Kubectl, second: Node) -> None:
    claim = WEB.split("---", maxsplit=1)[0].replace("name: data", "name: gone")
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: gone}\nspec:\n"
        "  terminationGracePeriodSeconds: 0\n"
        "  containers: [{name: c, image: 'docker.io/envctl/pause:1',"
        " volumeMounts: [{name: v, mountPath: /v}]}]\n"
        "  volumes: [{name: v, persistentVolumeClaim: {claimName: gone}}]\n"
    )
    kubectl.apply(f"{claim}---\n{pod}")
    volumes = second.kubeconfig.parent / "volumes"
    until("the folder of the volume", lambda: any(volumes.glob("default_gone_*")))
    kubectl.run("wait", "--for=condition=Ready", "pod/gone", "--timeout=60s")
    kubectl.run("delete", "pod/gone", "pvc/gone", "--wait=false")
    until("its removal", lambda: not any(volumes.glob("default_gone_*")))


def test_names_resolve_and_others_do_not(kubectl: Kubectl) -> None:
    name = "web.default.svc.cluster.local"
    found = kubectl.run("exec", "client", "--", "nslookup", "-type=a", name)
    assert kubectl("get", "service", "web")["spec"]["clusterIP"] in found.stdout, str(found)
    began = time.monotonic()
    outside = kubectl.run("exec", "client", "--", "nslookup", "-type=a", "example.org")
    assert "NXDOMAIN" in outside.stdout + outside.stderr
    assert time.monotonic() - began < 10, "an unknown name is answered, not waited for"


def test_network_policies_are_enforced(kubectl: Kubectl) -> None:
    pods = kubectl.items("pods", "-l", "app=web")
    web = pods[0]["status"]["podIP"]

    def reaches() -> bool:
        return "uid=1000" in fetch(kubectl, web, 8080)

    until("an open connection", reaches)
    kubectl.apply(POLICY.replace("FRIEND", "somebody-else"))
    until("the policy's enforcement", lambda: not reaches())
    kubectl.apply(POLICY.replace("FRIEND", "client"))
    until("the exception", reaches)
    kubectl.run("delete", "networkpolicy", "web")
    until("an open connection again", reaches)


def test_pod_security_is_enforced(kubectl: Kubectl) -> None:
    kubectl.apply(
        "apiVersion: v1\nkind: Namespace\n"
        "metadata: {name: safe, labels: {pod-security.kubernetes.io/enforce: baseline}}\n"
    )
    refused = kubectl.run(
        "run", "evil", "-n", "safe", "--image=x", "--privileged", "--restart=Never"
    )
    assert "violates PodSecurity" in refused.stderr


def test_the_audit_log_says_who_did_what(kubectl: Kubectl, second: Node) -> None:
    kubectl("get", "secrets", "-n", "kube-public")
    log = (second.kubeconfig.parent / "audit" / "audit.log").read_text()
    assert '"username":"envctl-admin"' in log
    assert '"responseObject"' not in log, "bodies can hold secrets"


def test_metrics_are_served(kubectl: Kubectl) -> None:
    until(
        "metrics of the node",
        lambda: f"envctl-local-{NAME}" in kubectl.run("top", "nodes", "--no-headers").stdout,
    )


def test_fake_nodes_run_pods_that_tolerate_them(kubectl: Kubectl) -> None:
    def ready() -> list[str]:
        return [
            node["metadata"]["name"]
            for node in kubectl.items("nodes", "-l", "type=kwok")
            for condition in node["status"]["conditions"]
            if condition["type"] == "Ready" and condition["status"] == "True"
        ]

    until("fake nodes", lambda: len(ready()) == FAKES)
    kubectl.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: nowhere}\nspec:\n"
        "  nodeSelector: {type: kwok}\n"
        "  tolerations: [{key: kwok.x-k8s.io/node, operator: Exists}]\n"
        "  containers: [{name: c, image: none}]\n"
    )
    until(
        "a pod without containers",
        lambda: kubectl("get", "pod", "nowhere")["status"]["phase"] == "Running",
    )
    kubectl.run("delete", "pod", "nowhere", "--wait=false")


def test_what_is_no_image_is_refused(
    envctl: Callable[..., Any], second: Node, tmp_path: Path
) -> None:
    assert second.name == NAME
    wrong = tmp_path / "wrong.tar"
    wrong.write_text("no image\n")
    assert "docker save" in envctl("load", str(wrong), check=1).stderr
    assert "does not exist" in envctl("load", str(tmp_path / "none.tar"), check=2).stderr


def test_a_taken_port_is_refused(envctl: Callable[..., Any], second: Node) -> None:
    port = second.ingress.rpartition(":")[2]
    refused = envctl("start", "--ingress-port", port, check=2, name="third")
    assert f"Port {port} is taken" in refused.stderr
    envctl("stop", "--delete", name="third")
