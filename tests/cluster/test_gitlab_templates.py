"""The GitLab templates' jobs, run for real: a merge request's whole life on the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.app import App, deployment, job
from tests.cluster.pipelines import Pipelines
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.node import Kubectl, Node


@pytest.fixture
def include(
    app: App, node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Pipelines]:
    """The pipelines of the small application, with these inputs."""

    def make(template: str = "environment", **inputs: Any) -> Pipelines:
        given = {
            "project": app.project, "image": "envctl", "context": node.context,
            "credential": "variable", **inputs,
        }  # fmt: skip
        home = tmp_path_factory.mktemp("home")
        pipelines = Pipelines(app.folder, node, home, given, template)
        pipelines.variables["KUBECONFIG"] = str(node.kubeconfig)
        return pipelines

    return make


OUT = """\
apiVersion: v1
kind: Service
metadata: {name: out}
spec: {type: ExternalName, externalName: kubernetes.default.svc}
"""


def _namespace(app: App) -> str:
    return f"{app.project}-mr-7"


def test_the_life_of_a_merge_request(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    app.write({"envctl.yaml": app.config(environment='{host: "${namespace}.localhost"}')})
    pipelines = include()
    opened = pipelines.run()
    labels = kubectl("get", "namespace", _namespace(app))["metadata"]["labels"]
    assert labels["envctl.dev/name"] == "mr-7"
    left = app.folder / ".envctl"
    url = f"://{_namespace(app)}.localhost"
    assert f"ENVCTL_URL=http{url}" in (left / "environment.env").read_text()
    assert url in (left / "annotations.json").read_text()
    assert "<testsuite" in (left / "junit.xml").read_text()
    assert not (left / "diagnosis").exists()
    assert "envctl:down" not in [line.split()[0] for line in opened.stdout.splitlines() if line]

    app.write({"deploy/web.yaml": deployment("web", replicas=2)})
    pipelines.commit()
    pipelines.run()
    web = kubectl("get", "deployment", "web", "-n", _namespace(app))
    assert web["spec"]["replicas"] == 2
    notes = kubectl("get", "namespace", _namespace(app))["metadata"]["annotations"]
    assert notes["envctl.dev/pipeline"] == "9002"
    assert notes["envctl.dev/merge-request"] == "7"

    app.write({"tests/smoke.yaml": job("smoke", "echo prices are wrong; exit 1")})
    pipelines.commit()
    failed = pipelines.run(check=1)
    assert "prices are wrong" in failed.stdout + failed.stderr
    diagnosis = (app.folder / ".envctl" / "diagnosis" / "index.md").read_text()
    assert "prices are wrong" in diagnosis

    pipelines.run("envctl:down")
    assert not kubectl.exists("namespace", _namespace(app))


def test_a_stop_without_branch_and_checkout_twice(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    pipelines = include()
    event = pipelines.event()
    pipelines.run_with(event)
    pipelines.lose_the_branch()
    assert not (app.folder / "envctl.yaml").exists()
    pipelines.run_with(event, "envctl:down")
    assert not kubectl.exists("namespace", _namespace(app))
    pipelines.run_with(event, "envctl:down")


def test_a_stop_of_what_never_started(include: Callable[..., Pipelines]) -> None:
    include().run("envctl:down")


@pytest.mark.parametrize("number", [15, 9])
def test_a_stop_after_a_start_that_was_cancelled(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines], number: int
) -> None:
    pipelines = include()
    app.write({"deploy/web.yaml": deployment("web", "docker.io/envctl/not-there:1")})
    pipelines.commit()
    running = pipelines.start()
    until(lambda: kubectl.exists("deployment", "web", "-n", _namespace(app)))
    pipelines.cancel(running, number)
    pipelines.lose_the_branch()
    pipelines.run("envctl:down")
    assert not kubectl.exists("namespace", _namespace(app))


def test_a_fork_is_refused_and_told_how_to_go_on(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    pipelines = include()
    assert pipelines.jobs(fork=True) == {
        "envctl:up": "never", "envctl:down": "never", "envctl:extend": "never",
        "envctl:keep": "never", "envctl:refused": "on_success",
    }  # fmt: skip
    done = pipelines.run(fork=True)
    assert "a maintainer who has read the change" in done.stdout
    assert "branch of acme/shop" in done.stdout
    assert not kubectl.exists("namespace", _namespace(app))


def test_who_is_trusted(include: Callable[..., Pipelines]) -> None:
    pipelines = include(trust="protected", untrusted="manual")
    assert pipelines.jobs()["envctl:up"] == "manual"
    assert pipelines.jobs(protected=True)["envctl:up"] == "on_success"
    assert pipelines.jobs(protected=True, fork=True)["envctl:up"] == "manual"


def test_a_fork_waits_for_a_maintainer(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    pipelines = include(untrusted="manual")
    pipelines.run(fork=True)
    assert not kubectl.exists("namespace", _namespace(app))
    pipelines.run("envctl:up", fork=True)
    labels = kubectl("get", "namespace", _namespace(app))["metadata"]["labels"]
    assert "envctl.dev/profile" not in labels


def test_a_fork_is_confined(app: App, kubectl: Kubectl, include: Callable[..., Pipelines]) -> None:
    pipelines = include(untrusted="confined")
    restricted = (
        deployment("web")
        .replace(
            "      containers:",
            "      securityContext: {runAsNonRoot: true, runAsUser: 65532, "
            "seccompProfile: {type: RuntimeDefault}}\n      containers:",
        )
        .replace(
            "imagePullPolicy: IfNotPresent",
            "imagePullPolicy: IfNotPresent, securityContext: "
            "{allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}",
        )
    )
    components = "  - {name: web, manifests: [deploy/web.yaml], timeout: 60s}\n"
    opened = "{access: {egress: [internet, dns]}, lifetime: {ttl: 30d, max: 0}}"
    app.write({
        "deploy/web.yaml": restricted, "envctl.yaml": app.config(components, opened, checks=""),
    })  # fmt: skip
    pipelines.commit()
    pipelines.run(fork=True)
    namespace = kubectl("get", "namespace", _namespace(app))["metadata"]
    assert namespace["labels"]["envctl.dev/profile"] == "confined"
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    policy = kubectl("get", "networkpolicy", "envctl", "-n", _namespace(app))["spec"]
    assert "ipBlock" not in str(policy)
    quota = kubectl("get", "resourcequota", "envctl", "-n", _namespace(app))["spec"]["hard"]
    assert quota["services.loadbalancers"] == "0"

    app.write({"deploy/web.yaml": f"{restricted}---\n{OUT}"})
    pipelines.commit()
    refused = pipelines.run(fork=True, check=1)
    assert "not allowed in a confined environment" in refused.stdout + refused.stderr
    assert not kubectl.exists("service", "out", "-n", _namespace(app))


def test_a_jobs_token_opens_the_cluster_and_leaves_no_file(
    app: App, node: Node, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    import base64

    import yaml

    account = "token-of-a-job"
    kubectl.apply(
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {app.project}-ci, "
        f"labels: {{envctl.dev/project: {app.project}}}}}\n---\n"
        f"apiVersion: v1\nkind: ServiceAccount\n"
        f"metadata: {{name: {account}, namespace: {app.project}-ci}}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n"
        f"metadata: {{name: {app.project}}}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
        f"subjects: [{{kind: ServiceAccount, name: {account}, namespace: {app.project}-ci}}]\n"
    )
    try:
        token = kubectl.run("create", "token", account, "-n", f"{app.project}-ci").stdout.strip()
        cluster = yaml.safe_load(node.kubeconfig.read_text())["clusters"][0]["cluster"]
        pipelines = include(credential="oidc", server=cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        del pipelines.variables["KUBECONFIG"]
        pipelines.variables |= {"ENVCTL_API_TOKEN": token, "ENVCTL_API_CA": authority}
        done = pipelines.run()
        assert kubectl.exists("namespace", _namespace(app))
        assert token not in done.stdout + done.stderr
        assert not list(pipelines.home.glob("envctl-job-*"))
        written = [path for path in app.folder.rglob("*") if path.is_file()]
        assert not [path for path in written if token.encode() in path.read_bytes()]
    finally:
        kubectl.run("delete", "clusterrolebinding", app.project)


def test_one_click_lets_it_live_longer(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    def expires() -> str:
        listed = app.envctl("list", "--context", app.node.context, "--project", app.project,
                            "-o", "json", check=0).json["environments"]  # fmt: skip
        return str(listed[0]["expiresAt"])

    pipelines = include(extend_for="9d", keep_for="5d")
    pipelines.run()
    before = expires()
    pipelines.run("envctl:extend")
    assert expires() > before
    pipelines.run("envctl:keep")
    notes = kubectl("get", "namespace", _namespace(app))["metadata"]["annotations"]
    assert "envctl.dev/keep" in notes


def test_a_schedule_clears_away_what_is_over_and_nothing_else(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    pipelines = include()
    app.write({"envctl.yaml": app.config(environment="{lifetime: {max: 1s}}")})
    pipelines.commit()
    pipelines.run()
    app.write({"envctl.yaml": app.config(environment="{lifetime: {ttl: 9d}}")})
    pipelines.run_with(pipelines.event() | {"CI_MERGE_REQUEST_IID": "8"})
    alive = f"{app.project}-mr-8"

    scheduled = {"CI_PIPELINE_SOURCE": "schedule", "CI_PIPELINE_ID": "9900"}
    given = {**pipelines.inputs, "mode": "dry-run"}
    pipelines.include("gc", given)
    pipelines.commit()
    pipelines.run_with(scheduled, "envctl:gc")
    assert kubectl.exists("namespace", _namespace(app))
    pipelines.include("gc", pipelines.inputs)
    pipelines.commit()
    pipelines.run_with(scheduled, "envctl:gc")
    assert not kubectl.exists("namespace", _namespace(app))
    # The forge of this pipeline does not exist: what cannot be asked is not closed.
    assert kubectl.exists("namespace", alive)
    assert (app.folder / ".envctl" / "gc.txt").read_text().startswith("# ")


def test_releases_stand_beside_each_other_until_they_are_retired(
    app: App, kubectl: Kubectl, include: Callable[..., Pipelines]
) -> None:
    pipelines = include("release")

    def push(branch: str, *jobs: str, protected: bool = True) -> str:
        slug = branch.replace(".", "-")
        event = {
            "CI_PIPELINE_SOURCE": "push", "CI_PIPELINE_ID": str(9000 + pipelines.number),
            "CI_COMMIT_BRANCH": branch, "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_REF_SLUG": slug,
            "CI_COMMIT_REF_PROTECTED": str(protected).lower(),
        }  # fmt: skip
        pipelines.number += 1
        pipelines.run_with(event, *jobs)
        return f"{app.project}-{'latest' if branch == 'main' else slug}"

    latest, older = push("main"), push("release-1.4")
    uid = kubectl("get", "deployment", "web", "-n", older)["metadata"]["uid"]
    app.write({"deploy/web.yaml": deployment("web", replicas=2)})
    pipelines.commit()
    assert push("main") == latest
    assert kubectl("get", "deployment", "web", "-n", latest)["spec"]["replicas"] == 2
    web = kubectl("get", "deployment", "web", "-n", older)
    assert (web["metadata"]["uid"], web["spec"]["replicas"]) == (uid, 1)
    for namespace in (latest, older):
        assert (
            "envctl.dev/keep" in kubectl("get", "namespace", namespace)["metadata"]["annotations"]
        )

    pipelines.lose_the_branch()
    push("release-1.4", "envctl:retire")
    assert not kubectl.exists("namespace", older)
    assert kubectl.exists("namespace", latest)
    push("release-1.5", protected=False)
    assert not kubectl.exists("namespace", f"{app.project}-release-1-5")
