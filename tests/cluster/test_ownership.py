"""Laws 3 and 4: only what is ours is touched, and absence is proved, not assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.app import App


@pytest.fixture
def stranger(app: App) -> Iterator[str]:
    """A namespace of somebody else's under the environment's name."""
    app.kubectl.run("create", "namespace", app.namespace)
    yield app.kubectl("get", "namespace", app.namespace)["metadata"]["uid"]
    app.kubectl.run("delete", "namespace", app.namespace, "--wait=false")


def test_a_strangers_namespace_is_neither_used_nor_deleted(app: App, stranger: str) -> None:
    refused = app.run("up", check=77)
    assert "belongs to somebody else" in refused.stdout
    assert app.kubectl.items("deployments", "-n", app.namespace) == []
    app.run("down", check=77)
    found = app.kubectl("get", "namespace", app.namespace)
    assert found["metadata"]["uid"] == stranger
    assert "deletionTimestamp" not in found["metadata"]
    assert "annotations" not in found["metadata"], "not even a note is left on it"


def test_labels_taken_away_are_not_ours_any_more(app: App) -> None:
    app.up()
    app.kubectl.run("label", "namespace", app.namespace, "envctl.dev/project-")
    app.run("up", check=77)
    app.run("down", check=77)
    app.kubectl.run("label", "namespace", app.namespace, f"envctl.dev/project={app.project}")
    assert app.down()["result"] == "gone"


def test_a_finalizer_that_nobody_removes_is_named(app: App) -> None:
    app.up()
    patch = '{"metadata":{"finalizers":["example.org/held"]}}'
    app.kubectl.run("patch", "configmap", "settings", "-n", app.namespace, "-p", patch)
    done = app.run("down", "--timeout", "25s", check=124)
    assert done.json["result"] == "stuck"
    stuck = done.json["stuck"][0]
    assert stuck["object"] == "ConfigMap/settings"
    assert stuck["finalizers"] == ["example.org/held"]
    assert "example.org" in stuck["controller"]
    assert "`envctl down --force` takes" in stuck["next"]
    listed = app.envctl("list", "--project", app.project, "-o", "json", check=0).json
    assert [e["phase"] for e in listed["environments"]] == ["Stuck"]
    again = app.run("up", check=124)
    assert "example.org/held" in again.json["failure"]["verdict"], "not merely still terminating"
    assert again.seconds < 60, "a teardown has waited already"
    free = '{"metadata":{"finalizers":null}}'
    app.kubectl.run("patch", "configmap", "settings", "-n", app.namespace, "-p", free)
    assert app.down()["result"] in ("gone", "absent")


def test_what_lies_outside_the_namespace_is_taken_away_too(app: App) -> None:
    role = f"{app.project}-role"
    app.write(
        {
            "deploy/config.yaml": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"
            f"metadata: {{name: {role}}}\nrules: []\n",
            "envctl.yaml": app.config(environment="{clusterScoped: [ClusterRole]}"),
        }
    )
    refused = app.run("up", check=77)
    assert "ClusterRole" in refused.stdout
    assert not app.kubectl.exists("namespace", app.namespace), "nothing was written"
    app.up(env={"ENVCTL_CLUSTER_SCOPED": "ClusterRole"})
    assert app.kubectl.exists("clusterrole", role)
    assert app.down()["result"] == "gone"
    assert not app.kubectl.exists("clusterrole", role)


def test_a_cluster_scoped_object_of_somebody_else_is_refused(app: App) -> None:
    role = f"{app.project}-theirs"
    app.kubectl.run("create", "clusterrole", role, "--verb=get", "--resource=pods")
    try:
        app.write(
            {
                "deploy/config.yaml": "apiVersion: rbac.authorization.k8s.io/v1\n"
                f"kind: ClusterRole\nmetadata: {{name: {role}}}\nrules: []\n",
                "envctl.yaml": app.config(environment="{clusterScoped: [ClusterRole]}"),
            }
        )
        refused = app.run("up", check=77, env={"ENVCTL_CLUSTER_SCOPED": "*"})
        assert "belongs to somebody else" in refused.stdout
        rules = app.kubectl("get", "clusterrole", role)["rules"]
        assert rules, "the stranger's object is as it was"
    finally:
        app.kubectl.run("delete", "clusterrole", role)
