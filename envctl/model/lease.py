"""The Lease behind the lock, as pure functions: who holds it, who asks for it, what to write.

Format: coordination.k8s.io/v1 Lease; envctl's own words are annotations.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from envctl.model.environment import NAME, PROJECT, SYSTEM_NAMESPACE, Environment
from envctl.model.lifetime import moment
from envctl.model.objects import Obj, annotations_of, labels_of

#: Seconds that a lease is good for without renewal: what a run waits for a dead one.
DURATION = 15.0
#: The newest pipeline that ever held it.
PIPELINE = "envctl.dev/pipeline"
#: The pipeline that asks the holder to let go.
WANTED_BY = "envctl.dev/wanted-by"
#: When the environment was proved gone.
DELETED = "envctl.dev/deleted-at"

#: Seconds that a Lease outlives its environment. It remembers the newest pipeline, so that an older
#: one is refused; no CI lets a job run for longer, so after it there is none left to refuse.
RETENTION = 32 * 86400.0


def new(environment: Environment) -> Obj:
    """A Lease that nobody holds yet."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": environment.namespace,
            "namespace": SYSTEM_NAMESPACE,
            "labels": environment.labels,
        },
        "spec": {},
    }


def holder(lease: Obj) -> str:
    """The run that holds it, or empty."""
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def duration(lease: Obj) -> float:
    """Seconds after which it may be taken over, if they are seen to pass unrenewed."""
    return float((lease.get("spec") or {}).get("leaseDurationSeconds") or DURATION)


def mark(lease: Obj) -> str:
    """What changes whenever the holder shows that it lives."""
    spec = lease.get("spec") or {}
    return f"{holder(lease)} {spec.get('renewTime')} {spec.get('acquireTime')}"


def number(text: str) -> int:
    """A pipeline's number; 0 for none."""
    return int(text) if text.isascii() and text.isdigit() else 0


def newest(lease: Obj) -> int:
    """The newest pipeline that ever held it; 0 for none."""
    return number(annotations_of(lease).get(PIPELINE, ""))


def wanted_by(lease: Obj) -> int:
    """The pipeline that asks for it; 0 for none."""
    return number(annotations_of(lease).get(WANTED_BY, ""))


def held_by(lease: Obj, environment: Environment, run_id: str, now: str) -> Obj:
    """The lease once this run has taken it; ``now`` is RFC 3339 with microseconds."""
    notes = {k: v for k, v in annotations_of(lease).items() if k != WANTED_BY}
    latest = max(newest(lease), number(environment.pipeline))
    if latest:
        notes[PIPELINE] = str(latest)
    meta, spec = lease["metadata"], lease.get("spec") or {}
    labels = {PROJECT: environment.project, NAME: environment.name}
    return {
        **lease,
        "metadata": {
            **meta, "annotations": notes, "labels": {**(meta.get("labels") or {}), **labels},
        },
        "spec": {
            "holderIdentity": run_id,
            "leaseDurationSeconds": int(DURATION),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1,
        },
    }  # fmt: skip


def asked_for(lease: Obj, pipeline: int) -> Obj | None:
    """The lease with the word that a newer pipeline wants it, or None where that is no use."""
    if not pipeline or pipeline <= newest(lease) or wanted_by(lease) >= pipeline:
        return None
    notes = {**annotations_of(lease), WANTED_BY: str(pipeline)}
    return {**lease, "metadata": {**lease["metadata"], "annotations": notes}}


def is_old(lease: Obj, now: datetime) -> bool:
    """Whether a Lease whose environment is gone has outlived every run it could still fence off.

    The latest of its stamps counts; against ``RETENTION`` no clock is wrong by enough to matter.
    """
    spec = lease.get("spec") or {}
    texts = (
        lease["metadata"].get("creationTimestamp", ""),
        annotations_of(lease).get(DELETED, ""),
        spec.get("renewTime") or "",
        spec.get("acquireTime") or "",
    )
    known = [found for text in texts if (found := moment(text))]
    return bool(known) and now - max(known) >= timedelta(seconds=RETENTION)


def environment_of(lease: Obj) -> Environment | None:
    """The environment that a Lease is the lock of; None where its labels do not say."""
    labels, name = labels_of(lease), str(lease["metadata"]["name"])
    found = Environment(labels.get(PROJECT, ""), labels.get(NAME, ""), name)
    return found if name == f"{found.project}-{found.name}" else None
