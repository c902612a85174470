"""What `cluster init` makes: enough for an application's whole life, and for nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from envctl.adapters.kubernetes.cluster import KubernetesCluster
from envctl.errors import EXIT_REFUSED, Refused
from envctl.model.objects import LEASE, NAMESPACE, ROLE_BINDING, SECRET, SERVICE
from tests.cluster.node import Envctl
from tests.cluster.setup import CONTEXT, DOMAIN, ENFORCE, SetUp, others_locks, set_up
from tests.cluster.test_helm import CHART, WORKLOAD, hook
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Kubectl, Node

pytestmark = pytest.mark.timeout(600)

PROFILE = "envctl.dev/profile"
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
    - host: HOST
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {number: 80}}}
"""
SERVICE_YAML = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: TYPE, selector: {app: web}, ports: [{port: 80}]}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: KIND
metadata: {name: grab}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: default}]
"""


@pytest.fixture(scope="module")
def made(node: Node, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetUp]:
    """A set-up whose limits are in force."""
    with set_up(node, kubectl, tmp_path_factory.mktemp("setup")) as found:
        yield found


@pytest.fixture
def app(made: SetUp, write: Callable[[dict[str, str]], Path], tmp_path: Path) -> App:
    """The application, worked on by the pipeline's account."""
    app = made.app(write, tmp_path)
    _configure(app)
    return app


def _configure(app: App, components: str | None = None, environment: str = "") -> None:
    app.write({"envctl.yaml": app.config(components, environment).replace(
        app.node.context, CONTEXT)})  # fmt: skip


def test_its_account_is_enough_for_a_whole_life(app: App, made: SetUp) -> None:
    app.write(
        {
            "chart/Chart.yaml": CHART,
            "chart/values.yaml": "note: one\n",
            "chart/templates/workload.yaml": WORKLOAD,
            "chart/templates/hook.yaml": hook("pre-delete", "echo bye"),
            # They lead to the pods of a component that comes later.
            "deploy/ingress.yaml": INGRESS.replace("HOST", f"it.{DOMAIN}")
            + "---\n" + SERVICE_YAML.replace("TYPE", "ClusterIP"),
        }
    )  # fmt: skip
    _configure(
        app,
        "  - {name: config, manifests: [deploy/config.yaml, deploy/ingress.yaml]}\n"
        "  - {name: slow, helm: {chart: chart}, timeout: 90s}\n"
        "  - {name: web, needs: [config], manifests: [deploy/web.yaml], timeout: 60s}\n",
    )
    checks = {c["name"]: c for c in app.run("doctor").json["checks"]}
    assert checks["permissions"]["result"] == "ok", checks["permissions"]

    assert app.up()["result"] == "succeeded"
    assert app.up()["result"] == "unchanged"
    assert app.run("status").json["environment"]["phase"] == "Ready"
    assert app.run("logs", "--component", "smoke").json["lines"]
    listed = app.envctl("list", "-o", "json", check=0).json["environments"]
    assert app.namespace in {e["namespace"] for e in listed}
    for role in ("view", "edit"):
        assert app.run("kubeconfig", "--role", role).json["expiresAt"]
    checks = {c["name"]: c for c in app.run("doctor").json["checks"]}
    assert checks["permissions"]["result"] == "ok", checks["permissions"]
    assert made.kubectl.exists("rolebinding", f"{made.project}-view", "-n", app.namespace)

    assert app.run("down").json["result"] == "gone"
    assert not made.kubectl.exists("namespace", app.namespace)


def test_a_run_that_was_killed_before_it_bound_the_roles_is_taken_up(app: App, made: SetUp) -> None:
    half = made.namespace("it")
    made.kubectl.apply(json.dumps(half))
    assert app.run("down").json["result"] == "gone"
    made.kubectl.apply(json.dumps(half))
    assert app.up()["result"] == "succeeded"
    assert app.run("down").json["result"] == "gone"


def test_the_account_of_the_clean_up_takes_away_and_makes_nothing(app: App, made: SetUp) -> None:
    app.up()
    app.envctl = Envctl(made.kubeconfig("gc"), app.folder)
    past = "2026-01-01T00:00:00Z"
    notes = (f"envctl.dev/last-used-at={past}", f"envctl.dev/expires-at={past}")
    made.kubectl.run("annotate", "namespace", app.namespace, "--overwrite", *notes)
    found = app.envctl("gc", "--project", made.project, "--yes-really", "-o", "json", check=0).json
    assert app.namespace in json.dumps(found["deleted"]), found
    assert not made.kubectl.exists("namespace", app.namespace)
    done = app.run("up", check=EXIT_REFUSED)
    assert "may not create namespaces" in done.json["failure"]["verdict"], str(done)


def test_a_developer_who_may_only_look_sees_how_it_is(app: App, made: SetUp) -> None:
    app.up()
    there = f"{made.project}-not"
    made.kubectl.run("create", "serviceaccount", "dev", "-n", there)
    bound = made.kubectl.run("create", "rolebinding", "dev", "-n", app.namespace,
                             f"--clusterrole={made.project}-view",
                             f"--serviceaccount={there}:dev")  # fmt: skip
    assert bound.returncode == 0, str(bound)
    app.envctl = Envctl(made.kubeconfig_of("dev", there), app.folder)
    until(lambda: app.run("status", check=None).returncode == 0, seconds=20)
    done = app.run("status")
    assert done.json["environment"]["phase"] == "Ready"
    assert {c["state"] for c in done.json["components"]} == {"ready"}
    assert done.json["drift"] == []
    assert "may not read secrets" in done.stderr
    assert app.run("logs", "--component", "smoke").json["lines"]


# What the account may not do

Ask = Callable[[KubernetesCluster, SetUp], Awaitable[Any]]

REFUSED: dict[str, tuple[Ask, str]] = {
    "delete a stranger's namespace": (
        lambda c, s: _delete(c, f"{s.project}-not"),
        "only namespaces that carry the labels",
    ),
    "delete the system's namespace": (
        lambda c, s: _delete(c, "envctl-system"),  # noqa: ARG005
        "only namespaces that carry the labels",
    ),
    "label a stranger's namespace": (
        lambda c, s: c.patch(NAMESPACE, f"{s.project}-not", "", {
            "metadata": {"labels": s.namespace("not")["metadata"]["labels"]}}),
        "only namespaces that carry the labels",
    ),
    "make a namespace of another project": (
        lambda c, s: c.create(NAMESPACE, s.namespace("x", {"envctl.dev/project": "other"})),
        "only namespaces that carry the labels",
    ),
    "make a namespace of another name": (
        lambda c, s: c.create(NAMESPACE, s.namespace("x") | {
            "metadata": {**s.namespace("x")["metadata"], "name": "kube-x"}}),
        "is named PROJECT-NAME",
    ),
    "make a namespace without Pod Security": (
        lambda c, s: c.create(NAMESPACE, s.namespace("x", {ENFORCE: "privileged"})),
        "must enforce the Pod Security standard",
    ),
    "make a confined namespace that is held to less than restricted": (
        lambda c, s: c.create(NAMESPACE, s.namespace("x", {PROFILE: "confined"})),
        "must enforce the Pod Security standard",
    ),
    "make an account of the system's": (
        lambda c, s: c.create(ROLE_BINDING, {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "grab", "namespace": "kube-system"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": f"{s.project}-environment"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]}),
        "only in namespaces of envctl environments",
    ),
    "read Secrets of another namespace": (
        lambda c, s: c.list(SECRET, f"{s.project}-not"),
        "may not list secrets",
    ),
    "read Secrets of the cluster": (
        lambda c, s: c.list(SECRET),  # noqa: ARG005
        "may not list secrets",
    ),
    "write in kube-system": (
        lambda c, s: c.create(SERVICE, {  # noqa: ARG005
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "grab", "namespace": "kube-system"}, "spec": {"ports": []}}),
        "may not create services",
    ),
    "take another project's lock": (
        lambda c, s: c.create(LEASE, {  # noqa: ARG005
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "other-x", "namespace": "envctl-system"}, "spec": {}}),
        "only in namespaces of envctl environments",
    ),
}  # fmt: skip


async def _delete(cluster: KubernetesCluster, name: str) -> Any:
    live = await cluster.get(NAMESPACE, name)
    assert live is not None
    return await cluster.delete(NAMESPACE, name, uid=live["metadata"]["uid"])


@pytest.mark.parametrize("what", REFUSED)
def test_the_account_may_not(what: str, made: SetUp) -> None:
    ask, sentence = REFUSED[what]
    answer = made.asked(lambda cluster: ask(cluster, made))
    assert isinstance(answer, Refused), answer
    assert sentence in answer.why
    assert answer.exit_code == EXIT_REFUSED
    assert answer.what.endswith(".")
    assert answer.next.endswith(".")


def test_an_environment_may_not_be_opened_once_it_is_made(made: SetUp) -> None:
    namespace = made.namespace("open", {PROFILE: "confined", ENFORCE: "restricted"})
    made.kubectl.apply(json.dumps(namespace))
    for labels, sentence in (
        ({ENFORCE: "privileged"}, "Pod Security"),
        ({ENFORCE: None}, "Pod Security"),
        ({"pod-security.kubernetes.io/enforce-version": "v1.20"}, "Pod Security"),
        ({PROFILE: None}, "may not be removed"),
        ({"envctl.dev/name": "else"}, "PROJECT-NAME"),
        ({"app.kubernetes.io/managed-by": None}, "carry the labels"),
    ):
        patch = {"metadata": {"labels": labels}}
        answer = made.asked(lambda c, p=patch: c.patch(NAMESPACE, f"{made.project}-open", "", p))
        assert isinstance(answer, Refused), (labels, answer)
        assert sentence in answer.why
    note = {"metadata": {"annotations": {"envctl.dev/phase": "Ready"}}}
    answer = made.asked(lambda c: c.patch(NAMESPACE, f"{made.project}-open", "", note))
    assert answer["metadata"]["annotations"]["envctl.dev/phase"] == "Ready"


#: What a merge request may try → the file, more of `environment`, what is said.
TRIED = {
    "a LoadBalancer": (SERVICE_YAML.replace("TYPE", "LoadBalancer"), "", "NodePort or Load"),
    "a NodePort": (SERVICE_YAML.replace("TYPE", "NodePort"), "", "NodePort or LoadBalancer"),
    "a foreign host": (INGRESS.replace("HOST", "www.example.org"), "", f"below {DOMAIN}"),
    "cluster-admin here": (BINDING.replace("KIND", "RoleBinding"), "", "may not do itself"),
    "cluster-admin": (
        BINDING.replace("KIND", "ClusterRoleBinding"), "{clusterScoped: [ClusterRoleBinding]}",
        "may not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TRIED)
def test_a_merge_request_may_not(what: str, app: App) -> None:
    text, environment, sentence = TRIED[what]
    app.write({"deploy/tried.yaml": text})
    _configure(app, "  - {name: tried, manifests: [deploy/tried.yaml]}\n", environment)
    done = app.run(
        "up", check=None,
        env={"ENVCTL_CLUSTER_SCOPED": "ClusterRoleBinding"},
    )  # fmt: skip
    assert done.returncode == EXIT_REFUSED, str(done)
    failure = done.json["failure"]
    assert sentence in json.dumps(failure), failure
    assert app.run("down").json["result"] in ("gone", "absent")


def test_pods_start_only_within_the_ceiling_of_the_quota(app: App) -> None:
    for quota in ('{pods: "61"}', '{requests.memory: "1Gi"}'):
        _configure(app, "  - {name: web, manifests: [deploy/web.yaml], timeout: 30s}\n",
                   f"{{quota: {quota}}}")  # fmt: skip
        done = app.run("up", check=None)
        assert done.returncode not in (0, 70), str(done)
        assert "environment.quota may be at most pods 60" in done.stdout, str(done)
    _configure(app, "  - {name: web, manifests: [deploy/web.yaml], timeout: 60s}\n",
               '{quota: {pods: "60"}}')  # fmt: skip
    assert app.up()["result"] == "succeeded"
    assert app.run("down").json["result"] == "gone"


# Applying, printing, removing


def test_applying_it_twice_changes_nothing_and_kubectl_does_the_same(made: SetUp) -> None:
    def versions() -> dict[str, str]:
        found = made.kubectl.items(
            "clusterrole,clusterrolebinding,validatingadmissionpolicy,"
            "validatingadmissionpolicybinding,priorityclass,role,rolebinding,configmap,"
            "serviceaccount", "-n", "envctl-system", "-l", f"envctl.dev/setup={made.project}",
        )  # fmt: skip
        return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"]
                for o in found}  # fmt: skip

    made.run("--apply")  # binds the roles in an environment that another test has made by hand
    before = versions()
    objects = json.loads(made.run("--apply", "-o", "json").stdout)["objects"]
    assert {o["result"] for o in objects} == {"unchanged"}, objects
    assert versions() == before

    printed = made.run().stdout
    assert len(list(yaml.safe_load_all(printed))) == len(before) + 1
    done = made.kubectl.run("diff", "--server-side", "--field-manager=envctl", "-f", "-",
                            stdin=printed)  # fmt: skip
    assert done.returncode == 0, str(done)
    done = made.kubectl.run("apply", "--server-side", "--field-manager=envctl", "-f", "-",
                            stdin=printed)  # fmt: skip
    assert done.returncode == 0, str(done)
    assert versions() == before


def test_what_belongs_to_somebody_else_is_left_alone(
    kubectl: Kubectl, envctl: Envctl, node: Node, project: str
) -> None:
    theirs = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
              "metadata": {"name": f"{project}-pipeline"}, "rules": []}  # fmt: skip
    kubectl.apply(json.dumps(theirs))
    init = ("cluster", "init", "--name", project, "--project", project, "--context", node.context)
    try:
        done = envctl(*init, "--apply", check=EXIT_REFUSED)
        assert f"ClusterRole/{project}-pipeline belongs to somebody else" in done.stderr
        assert not kubectl.exists("validatingadmissionpolicy", f"{project}-scope")
        with others_locks(kubectl, project):
            envctl(*init, "--remove", check=0)
        assert kubectl.exists("clusterrole", f"{project}-pipeline")
    finally:
        kubectl.run("delete", "clusterrole", f"{project}-pipeline")


def test_groups_of_a_log_in_are_bound_instead_of_an_account(
    envctl: Envctl, node: Node, kubectl: Kubectl, project: str
) -> None:
    init = ("cluster", "init", "--name", project, "--project", project, "--gitlab-project", "150",
            "--context", node.context)  # fmt: skip
    kubectl.apply(json.dumps(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{project}-it", "labels": {
            "app.kubernetes.io/managed-by": "envctl", "envctl.dev/project": project,
            "envctl.dev/name": "it"}}}))  # fmt: skip
    envctl(*init, "--apply", check=0)

    def may(*what: str, group: str = "gitlab:project:150") -> bool:
        asked = kubectl.run("auth", "can-i", *what, "--as", "gitlab:ci_job:7", "--as-group", group)
        return asked.stdout.strip() == "yes"

    until(lambda: may("create", "namespaces"), seconds=20)
    until(lambda: may("get", "secrets", "-n", f"{project}-it"), seconds=20)
    assert not may("get", "secrets", "-n", "kube-system")
    assert not may("create", "namespaces", group="gitlab:project:151")
    assert not kubectl.exists("serviceaccount", f"{project}-pipeline", "-n", "envctl-system")

    other = json.dumps(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{project}x"}}
    )

    def refused() -> bool:
        done = kubectl.run("create", "-f", "-", "--dry-run=server", "--as", "gitlab:ci_job:7",
                           "--as-group", "gitlab:project:150", stdin=other)  # fmt: skip
        return f"ValidatingAdmissionPolicy '{project}-namespaces'" in done.stderr

    until(refused, seconds=20)
    with others_locks(kubectl, project):
        envctl(*init, "--remove", check=0)
    assert not may("create", "namespaces")
