"""A chart that looks around in the cluster: what it finds as a release, and what confined."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cluster.app import App
    from tests.cluster.node import Kubectl

_SPY = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: found}
data:
  secret: {{ (lookup "v1" "Secret" "NAMESPACE" "prize").data | default dict | toJson | quote }}
"""


def test_a_chart_cannot_read_the_cluster_with_the_pipelines_credential(
    app: App, kubectl: Kubectl
) -> None:
    outside = f"{app.project}-outside"
    kubectl.apply(
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {outside}, "
        f"labels: {{envctl.dev/project: {app.project}}}}}\n---\n"
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: prize, namespace: {outside}}}\n"
        "stringData: {password: swordfish}\n"
    )
    components = "  - {name: spy, helm: {chart: spy}, timeout: 60s}\n"
    app.write({
        "spy/Chart.yaml": "{apiVersion: v2, name: spy, version: 1.0.0}\n",
        "spy/templates/found.yaml": _SPY.replace("NAMESPACE", outside),
        "envctl.yaml": app.config(components, checks=""),
    })  # fmt: skip
    app.up(env={"ENVCTL_PROFILE": "confined"})
    assert app.get("configmap", "found")["data"]["secret"] == "{}"
    assert not kubectl.items("secrets", "-n", app.namespace, "-l", "owner=helm")
    app.down()
    # The test can see: with a credential that may read it, a release does find it.
    app.up()
    assert "password" in app.get("configmap", "found")["data"]["secret"]
