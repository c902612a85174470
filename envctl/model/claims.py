"""Why a PersistentVolumeClaim is not bound, by the events that its controllers write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envctl.model import obstacle
from envctl.model.obstacle import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envctl.model.objects import Obj

_NO_CLASS = "no persistent volumes available for this claim and no storage class is set"


def obstacle_of(name: str, claim: Obj | None, events: Iterable[Obj]) -> Obstacle | None:
    """Why the claim of this name is not bound; ``events`` are the claim's, of every type.

    ``claim`` is None where it has not been read.
    """
    if claim and (claim.get("status") or {}).get("phase") == "Lost":
        volume = (claim.get("spec") or {}).get("volumeName", "")
        return Obstacle(
            "ClaimLost",
            f"its volume is lost: PersistentVolume/{volume} is not there any more",
            f"Bring PersistentVolume/{volume} back; or give up what it held and delete the claim, "
            "and the next run makes a new one.",
            obstacle.FINAL,
            f"PersistentVolumeClaim/{name}",
        )
    found = {str(event.get("reason")): str(event.get("message") or "") for event in events}
    blamed = f"PersistentVolumeClaim/{name}"
    if _NO_CLASS in found.get("FailedBinding", ""):
        return Obstacle(
            "NoStorageClass",
            "it names no storage class, the cluster has no default one, and no volume fits it",
            "Set storageClassName: `kubectl get storageclass` lists what there is.",
            obstacle.VOLUME,
            blamed,
        )
    failed = found.get("ProvisioningFailed", "")
    if "storageclass" in failed and "not found" in failed:
        return Obstacle(
            "StorageClassMissing",
            f"its storage class does not exist: {failed}",
            "Correct storageClassName: `kubectl get storageclass` lists what there is.",
            obstacle.MISSING,
            blamed,
        )
    if failed:
        return Obstacle(
            "ProvisioningFailed",
            f"no volume can be made for it: {failed}",
            "See what the storage class's provisioner says.",
            obstacle.VOLUME,
            blamed,
        )
    named = ((claim or {}).get("spec") or {}).get("volumeName")
    if named:
        return Obstacle(
            "Unbound",
            f"it names PersistentVolume/{named}, which is not there or does not fit it",
            f"Make PersistentVolume/{named}, or leave volumeName out.",
            obstacle.VOLUME,
            blamed,
        )
    waiting = found.get("FailedBinding") or found.get("VolumeMismatch")
    if waiting:
        return Obstacle("Unbound", waiting, "Make a volume that fits it.", obstacle.VOLUME, blamed)
    return None


def of_pod(pod: Obj) -> list[str]:
    """The names of the claims that a pod's volumes name."""
    volumes = (pod.get("spec") or {}).get("volumes") or []
    found = [(volume.get("persistentVolumeClaim") or {}).get("claimName") for volume in volumes]
    return [name for name in found if name]
