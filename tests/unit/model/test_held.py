"""Who should remove a finalizer, what its controller may be called, and what force takes off."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model import held
from envctl.model.held import Workload


def obj(*finalizers: str, manager: str = "", **meta: Any) -> dict[str, Any]:
    fields = {"f:metadata": {"f:finalizers": {f'v:"{f}"': {} for f in finalizers}}}
    found = {"name": "w", "namespace": "n", "finalizers": list(finalizers), **meta}
    if manager:
        found["managedFields"] = [{"manager": manager, "fieldsV1": fields}]
    return {"kind": "Widget", "metadata": found}


@pytest.mark.parametrize(
    ("finalizer", "manager", "words"),
    [
        ("acme.io/cleanup", "", {"acme"}),
        ("acme.io/cleanup", "manager", {"acme"}),
        ("acme.io/cleanup", "gadget-operator", {"acme", "gadget-operator", "gadget"}),
        ("cert-manager.io/x", "", {"cert-manager", "cert"}),
        ("finalizers.argocd.argoproj.io", "", {"argocd", "argoproj"}),
        ("example.org/x", "kubectl-patch", {"kubectl-patch"}),
    ],
)
def test_what_a_controller_may_be_called(finalizer: str, manager: str, words: set[str]) -> None:
    assert held.words(obj(finalizer, manager=manager), finalizer) == words


def test_a_workload_is_known_by_name_namespace_or_label() -> None:
    for meta in ({"name": "acme-operator"}, {"name": "x", "namespace": "acme-system"},
                 {"name": "x", "labels": {"app.kubernetes.io/name": "acme"}}):  # fmt: skip
        assert held.is_called({"metadata": meta}, {"acme"})
    assert not held.is_called({"metadata": {"name": "web", "namespace": "shop"}}, {"acme"})


def test_force_takes_off_what_the_control_plane_does_not() -> None:
    both = obj("kubernetes.io/pvc-protection", "acme.io/x", "foregroundDeletion")
    assert held.removable(both) == ("acme.io/x",)
    assert held.removable(obj("kubernetes.io/pvc-protection")) == ()
    cloud = "service.kubernetes.io/load-balancer-cleanup"
    assert held.removable(obj(cloud)) == (cloud,)


RUNS = Workload("Deployment", "acme-system", "acme", 1, 1)
DOWN = Workload("Deployment", "acme-system", "acme", 0, 1)


@pytest.mark.parametrize(
    ("controllers", "asked", "said", "next_step"),
    [
        ([RUNS], True, "it runs: Deployment/acme in acme-system (1 of 1 ready)", "its log"),
        ([DOWN], True, "it does not run: Deployment/acme in acme-system (0 of 1", "Bring it back"),
        ([], True, "no workload of the cluster is called like it", "Install the controller"),
        ([], False, "which the controller of acme.io should remove.", "See whether"),
    ],
)
def test_whether_the_controller_is_there(
    controllers: list[Workload], asked: bool, said: str, next_step: str
) -> None:
    found = held.stuck_object(obj("acme.io/x"), controllers, asked=asked)
    assert said in found.controller
    assert next_step in found.next
    assert "`envctl down --force` takes 'acme.io/x' off Widget/w" in found.next


def test_what_goes_by_itself_is_not_forced() -> None:
    found = held.stuck_object(obj("kubernetes.io/pvc-protection"), [], asked=False)
    assert "once no pod uses the claim" in found.controller
    assert "--force" not in found.next


def test_a_pod_on_a_silent_node() -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n1"}}
    assert "n1, which does not answer" in held.stuck_pod(pod, node_is_gone=False).controller
    assert "n1, which is not there" in held.stuck_pod(pod, node_is_gone=True).controller
