"""What `down --force` lets go, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.config import load, settings
from envctl.config.ci import CIContext
from envctl.model.objects import CONFIG_MAP, NODE, POD, WELL_KNOWN
from envctl.workflow.down import down
from tests.unit.virtual import virtually
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from pathlib import Path

NS = "shop-fix"
FILE = "components:\n  - {name: a, manifests: [a.yaml]}\n"
HELD = ("", "ConfigMap", NS, "held")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.write(FILE, a=[config("one")])
    assert found.up()[1] is None
    return found


def torn_down(shop: Shop, *, force: bool) -> Any:
    environment = load.identify(
        settings.read({}, project="shop", name="fix"), CIContext(owner="ann")
    )
    return virtually(down(shop.world(), environment, 120.0, force=force))


def hold(shop: Shop, *finalizers: str, namespace: str = NS, name: str = "held") -> None:
    held = config(name, namespace=namespace, finalizers=list(finalizers))
    shop.cluster.put(CONFIG_MAP, held)


def test_without_force_it_is_named_and_stays(shop: Shop) -> None:
    hold(shop, "acme.io/x")
    result, error = torn_down(shop, force=False)
    assert error is not None
    assert [s.object for s in result.stuck] == ["ConfigMap/held"]
    assert HELD in shop.cluster.store


def test_the_namespaces_controller_is_made_to_look_again(shop: Shop) -> None:
    """Else it would wait for half the grace period of a pod that was left when it looked."""
    hold(shop, "acme.io/x")
    before = len(shop.cluster.calls)
    torn_down(shop, force=False)
    patched = [what for verb, what in shop.cluster.calls[before:] if verb == "patch"]
    assert patched.count(f"Namespace/{NS}") > 120 / 15 / 2


def test_force_takes_the_finalizer_off_and_nothing_elsewhere(shop: Shop) -> None:
    hold(shop, "acme.io/x")
    hold(shop, "acme.io/x", namespace="other", name="theirs")
    shop.cluster.store["", "ConfigMap", "other", "theirs"]["metadata"]["deletionTimestamp"] = "now"
    result, error = torn_down(shop, force=True)
    assert error is None, error
    assert result.result == "gone"
    theirs = shop.cluster.store["", "ConfigMap", "other", "theirs"]
    assert theirs["metadata"]["finalizers"] == ["acme.io/x"]


def test_force_leaves_the_control_planes_own_alone(shop: Shop) -> None:
    hold(shop, "kubernetes.io/pvc-protection")
    result, error = torn_down(shop, force=True)
    assert error is not None
    assert "--force" not in result.stuck[0].next
    assert shop.cluster.store[HELD]["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_force_does_not_touch_what_is_not_being_deleted_outside(shop: Shop) -> None:
    role = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]
    shop.cluster.put(role, {"metadata": {"name": "theirs", "finalizers": ["acme.io/x"]}})
    assert torn_down(shop, force=True)[1] is None
    assert ("rbac.authorization.k8s.io", "ClusterRole", "", "theirs") in shop.cluster.store


def test_a_pod_on_a_silent_node_is_named(shop: Shop) -> None:
    hold(shop, "acme.io/x")
    shop.cluster.put(NODE, {"metadata": {"name": "n1"}, "status": {"conditions": [
        {"type": "Ready", "status": "Unknown"}]}})  # fmt: skip
    shop.cluster.put(POD, {
        "metadata": {"name": "p", "namespace": NS, "finalizers": ["kubernetes.io/x"]},
        "spec": {"nodeName": "n1"},
    })  # fmt: skip
    result, _ = torn_down(shop, force=False)
    assert "Pod/p is to end on the node n1, which does not answer" in result.stuck[0].controller
