"""The API server's, the scheduler's and the volume controller's own sentences, and what they mean.

Those of limit ranges, accounts, classes and claims were taken from a real node (1.37); the others
follow its sources and the versions that are named.
"""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model import claims, creation, nodes, obstacle, scheduling
from envctl.model.obstacle import FINAL, MISSING, NODE, QUOTA, VOLUME, WEBHOOK

REFUSED = [
    (('pods "a-1" is forbidden: exceeded quota: envctl, requested: requests.cpu=2, used: '
     "requests.cpu=3, limited: requests.cpu=4"), "QuotaExceeded", QUOTA,
     "ResourceQuota/envctl has no room for its pod: it asks for requests.cpu 2, and 3 of 4 are"),
    (('pods "a-1" is forbidden: exceeded quota: envctl, requested: requests.memory=9Gi, used: '
     "requests.memory=0, limited: requests.memory=8Gi"), "QuotaExceeded", FINAL,
     "it asks for requests.memory 9Gi, and 0 of 8Gi are used, more than there is in all"),
    (('pods "a-1" is forbidden: exceeded quota: q, requested: cpu=500m,pods=1, used: cpu=1,pods=2, '
     "limited: cpu=1200m,pods=2"), "QuotaExceeded", QUOTA,
     "it asks for cpu 500m, and 1 of 1200m are used; it asks for pods 1, and 2 of 2 are used"),
    ('pods "a-1" is forbidden: failed quota: envctl: must specify limits.cpu for: web',
     "QuotaExceeded", FINAL, "wants every pod to say what it needs: limits.cpu for: web"),
    ('pods "lim-6" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
     "LimitRange", FINAL, "forbids its pod: maximum memory usage per Container is 1Gi, but limit"),
    (('pods "lim-6" is forbidden: [maximum cpu usage per Pod is 1, but limit is 2, minimum memory '
     "usage per Container is 1Gi, but request is 1Mi]"), "LimitRange", FINAL, "maximum cpu usage"),
    (('pods "sa-7" is forbidden: error looking up service account probe/nobody: serviceaccount '
     '"nobody" not found'), "ServiceAccountMissing", MISSING, "ServiceAccount 'nobody'"),
    ('pods "prio-6" is forbidden: no PriorityClass with name vip was found',
     "PriorityClassMissing", MISSING, "PriorityClass 'vip'"),
    ('pods "rt-d" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
     "RuntimeClassMissing", MISSING, "RuntimeClass 'gvisor'"),
    ('admission webhook "images.example.org" denied the request: only from our registry',
     "Denied", FINAL, "images.example.org refuses its pod: only from our registry"),
    (('Internal error occurred: failed calling webhook "images.example.org": failed to call '
     'webhook: Post "https://images.a.svc:443/?timeout=10s": dial tcp 10.96.0.9:443: connect: '
     "connection refused"), "WebhookDown", WEBHOOK, "images.example.org, which must see its pod"),
    (("pods \"a\" is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'b' denied "
     "request: name a tag"), "Denied", FINAL, "no-latest refuses its pod: name a tag"),
    (('pods "a" is forbidden: violates PodSecurity "baseline:latest": privileged (container "a" '
     "must not set securityContext.privileged=true)"), "PodSecurity", FINAL, "privileged"),
    (('Pod "web-1" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be '
     "less than or equal to cpu limit of 500m"), "PodInvalid", FINAL,
     "not valid: spec.containers[0].resources.requests"),
    ("etcdserver: request timed out", "FailedCreate", None, "etcdserver: request timed out"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "reason", "patience", "words"), REFUSED)
def test_what_a_controller_is_told(
    message: str, reason: str, patience: float | None, words: str
) -> None:
    for full in (message, f"Error creating: {message}"):
        found = creation.obstacle_of(full)
        assert (found.reason, found.patience) == (reason, patience)
        assert words in found.message
        assert found.next or reason == "FailedCreate"


NO_NODE = "0/1 nodes are available: "
UNPLACED = [
    ("1 Insufficient cpu.", NODE, "cpu 64", "Ask for less cpu"),
    ("1 Insufficient nvidia.com/gpu.", NODE, "nvidia.com/gpu 1", "a node with nvidia.com/gpu"),
    ("1 node(s) didn't match Pod's node affinity/selector.", NODE, "no node has disk=ssd", "Label"),
    (("1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint "
     "{node-role.kubernetes.io/control-plane: }."), NODE, "no node has disk=ssd (", "Label a node"),
    (("1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint "
     "{dedicated: ci}."), NODE, "it does not tolerate the taint dedicated: ci", "or tolerate the"),
    ("1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint(s).",
     NODE, "it does not tolerate the taint of the one that has", "or tolerate the taint."),
    ("1 node(s) had untolerated taint {dedicated: ci}.", NODE, "tainted", "toleration for dedicat"),
    ("1 node(s) had untolerated taint(s).", NODE, "tainted", "Add a toleration to the pod"),
    ("1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.", NODE, "not answer",
     "Bring the node back"),
    ("1 node(s) were unschedulable.", NODE, "cordoned", "Uncordon"),
    ("1 node(s) didn't match PersistentVolume's node affinity.", NODE, "its volume lies", "zone"),
    ("1 node(s) had volume node affinity conflict.", NODE, "its volume lies", "zone"),
    ('persistentvolumeclaim "ghost" not found. not found', MISSING,
     "PersistentVolumeClaim/ghost does not exist", "Create PersistentVolumeClaim/ghost"),
    ("pod has unbound immediate PersistentVolumeClaims. not found", VOLUME, "is not bound", "See"),
    ("1 Too many pods.", NODE, "Too many pods", "Ask for less"),
]  # fmt: skip


def pod(message: str, **spec: Any) -> dict[str, Any]:
    tail = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                 "message": NO_NODE + message + tail}  # fmt: skip
    asked = {"requests": {"cpu": "64", "nvidia.com/gpu": "1"}}
    return {
        "metadata": {"name": "x"},
        "spec": {"nodeSelector": {"disk": "ssd"},
                 "containers": [{"name": "c", "resources": asked}], **spec},
        "status": {"conditions": [condition]},
    }  # fmt: skip


@pytest.mark.parametrize(("message", "patience", "words", "advice"), UNPLACED)
def test_what_the_scheduler_says(message: str, patience: float, words: str, advice: str) -> None:
    unplaced = pod(message)
    said = scheduling.unscheduled(unplaced)
    assert said is not None
    assert "reemption" not in said
    found = scheduling.obstacle_of(unplaced, said, [])
    assert found.patience == patience
    assert words in found.message
    assert advice in found.next


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_an_autoscaler_that_spoke_gets_the_whole_step(reason: str) -> None:
    found = scheduling.obstacle_of(pod("1 Insufficient cpu."), "1 Insufficient cpu", [
        {"reason": "FailedScheduling"}, {"reason": reason},
    ])  # fmt: skip
    assert found.patience is None
    assert "an autoscaler is bringing one" in found.message


def test_a_gated_pod_waits_for_whoever_holds_the_gate() -> None:
    gated = pod("", schedulingGates=[{"name": "example.org/g"}])
    assert scheduling.obstacle_of(gated, "Scheduling is blocked", []).patience is None


def test_a_scheduled_pod_is_not_the_schedulers() -> None:
    assert scheduling.unscheduled({"status": {"conditions": [
        {"type": "PodScheduled", "status": "True"}]}}) is None  # fmt: skip
    assert scheduling.unscheduled({}) is None


CLAIMS = [
    ("FailedBinding", "no persistent volumes available for this claim and no storage class is set",
     {}, "NoStorageClass", VOLUME),
    ("FailedBinding", "waiting for something", {}, "Unbound", VOLUME),
    ("ProvisioningFailed", 'storageclass.storage.k8s.io "gold" not found', {},
     "StorageClassMissing", MISSING),
    ("ProvisioningFailed", "quota of the cloud", {}, "ProvisioningFailed", VOLUME),
    ("", "", {"volumeName": "nowhere"}, "Unbound", VOLUME),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "message", "spec", "word", "patience"), CLAIMS)
def test_why_a_claim_is_not_bound(
    reason: str, message: str, spec: dict[str, Any], word: str, patience: float
) -> None:
    events = [{"reason": reason, "message": message}] if reason else []
    found = claims.obstacle_of("data", {"spec": spec}, events)
    assert found is not None
    assert (found.reason, found.patience) == (word, patience)
    assert found.object == "PersistentVolumeClaim/data"
    assert found.next


def test_a_claim_that_has_lost_its_volume_never_gets_another() -> None:
    lost = {"spec": {"volumeName": "v1"}, "status": {"phase": "Lost"}}
    found = claims.obstacle_of("data", lost, [])
    assert found is not None
    assert (found.reason, found.patience) == ("ClaimLost", FINAL)
    assert "PersistentVolume/v1 is not there any more" in found.message
    assert "delete the claim" in found.next


@pytest.mark.parametrize("reason", ["WaitForFirstConsumer", "Provisioning", "ExternalProvisioning"])
def test_a_claim_whose_volume_is_being_made_is_healthy(reason: str) -> None:
    assert claims.obstacle_of("data", None, [{"reason": reason, "message": "waiting"}]) is None


def test_a_pod_whose_node_is_silent() -> None:
    bound = {"spec": {"nodeName": "n1"}, "status": {}}
    assert nodes.obstacle_of({"spec": {}}, []) is None
    silent = nodes.obstacle_of(bound, [])
    assert silent is not None
    assert "n1 has not taken it up" in silent.message
    started = {**bound, "status": {"startTime": "now"}}
    assert nodes.obstacle_of(started, []) is None
    dead = nodes.obstacle_of(started, [{"reason": "NodeNotReady"}])
    assert dead is not None
    assert "n1 does not answer" in dead.message
    ready = {**started, "status": {"startTime": "now", "conditions": [
        {"type": "Ready", "status": "True"}]}}  # fmt: skip
    assert nodes.obstacle_of(ready, [{"reason": "NodeNotReady"}]) is None


def test_words_say_how_long_it_is_borne() -> None:
    assert obstacle.Obstacle("a", "late", patience=90.0).words() == "late (given up after 90 s)"
    assert obstacle.Obstacle("a", "late", patience=None).words() == "late"
    assert obstacle.Obstacle("a", "never", patience=FINAL).words() == "never"
