"""Pods that no node takes, and volumes that are not there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envctl.model import obstacle
from tests.failures.case import SOON, Case, Part, Says, Twin
from tests.failures.objects import container, deployment, meta, pod

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

UNSCHEDULABLE = r"Unschedulable"


def _asks(**resources: Object) -> tuple[Part, ...]:
    return (Part((deployment(pod(container(resources=resources))),), timeout=10),)


def _claim(**spec: object) -> Object:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta("data"),
            "spec": {**asked, **spec}}  # fmt: skip


def _with_claim(claim: Object | None, timeout: int = 60, **more: object) -> tuple[Part, ...]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    web = deployment(pod(volumes=volumes, **more))
    return (Part((claim, web) if claim else (web,), timeout=timeout),)


def _volume(stage: Stage, **more: object) -> None:
    """A volume that no other claim than this case's can have."""
    spec = {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "", "hostPath": {"path": "/tmp"},
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": stage.namespace, "name": "data"}, **more}  # fmt: skip
    found = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta(stage.project),
             "spec": spec}  # fmt: skip
    stage.kubectl.apply(json.dumps(found))


def _no_volume(stage: Stage) -> None:
    stage.kubectl.run("delete", "pv", stage.project, "--ignore-not-found", "--wait=false")


def _elsewhere(stage: Stage) -> None:
    zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["mars"]}
    _volume(stage, nodeAffinity={"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}})


def _dead_node(stage: Stage) -> None:
    """A node whose kubelet never speaks; its taint keeps everybody else's pods away from it."""
    name, key = stage.project, f"example.org/{stage.project}"
    node = {"apiVersion": "v1", "kind": "Node",
            "metadata": meta(name, labels={"example.org/only": name}),
            "spec": {"taints": [{"key": key, "effect": "NoSchedule"}]}}  # fmt: skip
    stage.kubectl.apply(json.dumps(node))
    status = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "10"}}
    stage.kubectl.run("patch", "node", name, "--subresource=status", "--type=merge", "-p",
                      json.dumps({"status": status}))  # fmt: skip


def _no_node(stage: Stage) -> None:
    pods = ("delete", "pods", "--all", "-n", stage.namespace, "--force", "--grace-period=0")
    stage.kubectl.run("delete", "deployment", "web", "-n", stage.namespace, "--ignore-not-found")
    stage.kubectl.run(*pods)
    stage.kubectl.run("delete", "node", stage.project, "--ignore-not-found")


def _lost_claim() -> Object:
    """A claim that was bound to a volume that is there no more."""
    lost = _claim(storageClassName="", volumeName="@PROJECT@")
    lost["metadata"] = meta("data", annotations={"pv.kubernetes.io/bind-completed": "yes"})
    return lost


ONLY = {"example.org/only": "@PROJECT@"}
_ON_THE_DEAD = pod(nodeSelector=ONLY, tolerations=[{"operator": "Exists"}])

CASES = (
    Case(
        "not enough cpu",
        _asks(requests={"cpu": "900"}, limits={"cpu": "900"}),
        Says("Deployment/web", ("no node takes its pod", "cpu 900"), "Ask for less cpu"),
        knows=UNSCHEDULABLE, exit=124, final=False, environment='{quota: {pods: "10"}}',
    ),
    Case(
        "no such device",
        _asks(limits={"nvidia.com/gpu": "1"}),
        Says("Deployment/web", "nvidia.com/gpu 1", "Add a node with nvidia.com/gpu"),
        knows=UNSCHEDULABLE, exit=124, final=False,
    ),
    Case(
        "node selector",
        (Part((deployment(pod(nodeSelector={"disk": "ssd"})),), timeout=10),),
        Says("Deployment/web", "no node has disk=ssd", "Label a node, or correct nodeSelector"),
        knows=UNSCHEDULABLE, exit=124, final=False,
    ),
    Case(
        "volume in another zone",
        _with_claim(_claim(storageClassName="", volumeName="@PROJECT@"), timeout=12),
        Says("Deployment/web", "its volume lies where no node is",
             "Add a node in the volume's zone"),
        knows=r"PersistentVolume's node affinity|volume node affinity",
        exit=124, final=False, before=_elsewhere, after=_no_volume,
    ),
    Case(
        "claim without a class",
        _with_claim(_claim(storageClassName=""), timeout=12),
        Says("PersistentVolumeClaim/data", "it names no storage class", "Set storageClassName"),
        knows=r"no storage class is set",
        exit=124, final=False,
        twin=Twin(
            _with_claim(_claim(storageClassName=""), timeout=100), before=_volume, after=_no_volume
        ),
    ),
    Case(
        "storage class missing",
        _with_claim(_claim(storageClassName="gold")),
        Says("PersistentVolumeClaim/data", ("its storage class does not exist", "gold"),
             "Correct storageClassName"),
        knows=r"ProvisioningFailed",
        within=obstacle.MISSING + SOON,
        nightly=True,
    ),
    Case(
        "claim missing",
        _with_claim(None),
        Says("Deployment/web", "PersistentVolumeClaim/data does not exist",
             "Create PersistentVolumeClaim/data"),
        knows=UNSCHEDULABLE,
        within=obstacle.MISSING + SOON,
        nightly=True,
    ),
    Case(
        "claim that has lost its volume",
        _with_claim(_lost_claim()),
        Says("PersistentVolumeClaim/data", ("its volume is lost", "is not there any more"),
             "delete the claim"),
        knows="ClaimLost",
    ),
    Case(
        "node with a taint",
        (Part((deployment(pod(nodeSelector=ONLY)),), timeout=10),),
        Says("Deployment/web", ("it does not tolerate the taint", "no node has example.org/only"),
             "tolerate the taint"),
        knows=UNSCHEDULABLE, exit=124, final=False, before=_dead_node, after=_no_node,
        nightly=True,
    ),
    Case(
        "dead node",
        (Part((deployment(_ON_THE_DEAD),), timeout=12),),
        Says("Deployment/web", ("its node", "has not taken it up"), "Bring the node back"),
        exit=124, final=False, before=_dead_node, after=_no_node,
        nightly=True,
    ),
)  # fmt: skip
