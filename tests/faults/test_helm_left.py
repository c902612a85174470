"""Each state in which a dead Helm leaves a release is repaired, and its data is kept.

The state is written into Helm's own record, exactly as Helm would have left it; both Helms read it.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.node import Envctl, Kubectl, Node, tool
from tests.faults import application

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("kill")]

HOOK = application.HOOK_MAP % {"event": "post-install"}
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": application.STORAGE_CLASS},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


class Release:
    """An environment of one release, with a claim and with hooks, by one Helm."""

    def __init__(self, node: Node, folder: Path, helm: str) -> None:
        self.project = f"left-{helm}"
        self.kubectl = Kubectl(node)
        self.kubectl.apply(json.dumps(CLASS))
        self.namespace, self._node, self._folder = f"{self.project}-it", node, folder
        self._envctl = Envctl(node.kubeconfig, folder)
        self._env = {"ENVCTL_HELM": tool(helm)}

    def up(self, note: str) -> str:
        """Deploy a version; what was said."""
        application.write(self._folder, self.project, self._node.context, note)
        text = (self._folder / "envctl.yaml").read_text().splitlines()
        kept = [line for line in text if "needs:" not in line and "smoke" not in line]
        (self._folder / "envctl.yaml").write_text("\n".join(kept).replace("checks:", ""))
        hooks = HOOK.replace("before-hook-creation,hook-succeeded", "before-hook-creation")
        (self._folder / "db/templates/hooks.yaml").write_text(hooks)
        done = self._envctl("up", "--name", "it", "-o", "json", env=self._env, check=0)
        assert self.records()[-1]["metadata"]["labels"]["status"] == "deployed"
        return done.stderr

    def records(self) -> list[dict[str, Any]]:
        """Helm's records, oldest first."""
        found = self.kubectl.items("secrets", "-n", self.namespace, "-l", "owner=helm,name=db")
        return sorted(found, key=lambda secret: int(secret["metadata"]["labels"]["version"]))

    def leave(self, index: int, status: str) -> None:
        """Give one record a status, in its label and in its body."""
        record = self.records()[index]
        packed = base64.b64decode(base64.b64decode(record["data"]["release"]))
        body = json.loads(gzip.decompress(packed))
        body["info"]["status"] = status
        text = base64.b64encode(gzip.compress(json.dumps(body).encode()))
        record["data"]["release"] = base64.b64encode(text).decode()
        record["metadata"]["labels"]["status"] = status
        done = self.kubectl.run("replace", "-f", "-", stdin=json.dumps(record))
        assert done.returncode == 0, str(done)

    def uid(self, kind: str, name: str) -> str:
        found: str = self.kubectl("get", kind, name, "-n", self.namespace)["metadata"]["uid"]
        return found

    def note(self) -> str:
        live = self.kubectl("get", "deployment", "db", "-n", self.namespace)
        found: str = live["metadata"]["labels"]["note"]
        return found


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_each_state_is_repaired_and_the_data_kept(
    control_plane: Node, tmp_path: Path, helm: str
) -> None:
    release = Release(control_plane, tmp_path, helm)
    release.up("one")
    claim = release.uid("pvc", "db-data")

    for status in ("pending-install", "failed", "pending-rollback", "uninstalling"):
        hook = release.uid("configmap", "db-post-install")
        release.leave(-1, status)
        release.kubectl.run("delete", "deployment", "db", "-n", release.namespace)
        said = release.up("one")
        assert "installed anew" in said, status
        assert release.uid("pvc", "db-data") == claim, status
        assert release.uid("configmap", "db-post-install") != hook, f"{status}: its hooks ran"
        assert [r["metadata"]["labels"]["version"] for r in release.records()] == ["1"]

    release.up("two")
    for status, words in {
        "pending-upgrade": "rolling back to revision",
        "pending-rollback": "rolling back to revision",
        "failed": "upgraded from there",
    }.items():
        other = "one" if release.note() == "two" else "two"
        release.leave(-1, status)
        release.leave(-2, "deployed")
        said = release.up(other)
        assert f"was left {status}" in said
        assert words in said
        assert release.note() == other
        assert release.uid("pvc", "db-data") == claim, status
