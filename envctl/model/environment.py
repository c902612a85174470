"""The environment: one labelled namespace, and what is known about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

MANAGED_BY = "app.kubernetes.io/managed-by"
PROJECT = "envctl.dev/project"
NAME = "envctl.dev/name"
COMPONENT = "envctl.dev/component"
OWNER = "envctl.dev/owner"
COMMIT = "envctl.dev/commit"
PIPELINE = "envctl.dev/pipeline"
MERGE_REQUEST = "envctl.dev/merge-request"
URL = "envctl.dev/url"
FORGE_PROJECT = "envctl.dev/forge-project"
KEEP = "envctl.dev/keep"
#: Its author is not trusted; admission policies of the cluster hold on to it.
PROFILE = "envctl.dev/profile"
PHASE = "envctl.dev/phase"
LAST_USED = "envctl.dev/last-used-at"
EXPIRES = "envctl.dev/expires-at"
FIELD_MANAGER = "envctl"
SYSTEM_NAMESPACE = "envctl-system"


class Phase(enum.StrEnum):
    """Where an environment is in its life, as ``list`` and ``status`` show it."""

    CREATING = "Creating"
    READY = "Ready"
    FAILED = "Failed"
    SLEEPING = "Sleeping"
    DELETING = "Deleting"
    STUCK = "Stuck"


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as a run wants it; built once in ``config`` and valid from then on.

    ``forge_project`` is a ``ForgeProject`` as text, or empty outside of CI.
    ``ttl`` is seconds from the last use, ``max_age`` seconds from creation; 0 means without end.
    """

    project: str
    name: str
    namespace: str
    host: str = ""
    url: str = ""
    owner: str = ""
    commit: str = ""
    pipeline: str = ""
    merge_request: str = ""
    forge_project: str = ""
    ttl: float = 0.0
    max_age: float = 0.0

    @property
    def labels(self) -> dict[str, str]:
        """The labels that make an object this environment's own."""
        return {MANAGED_BY: "envctl", PROJECT: self.project, NAME: self.name}

    @property
    def selector(self) -> str:
        """The label selector that finds this environment's objects and nobody else's."""
        return ",".join(f"{key}={value}" for key, value in self.labels.items())

    def owns(self, labels: dict[str, str] | None) -> bool:
        """Whether an object with these labels belongs to this environment (law 3)."""
        found = labels or {}
        return all(found.get(key) == value for key, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class EnvironmentInfo:
    """An environment as it was found in the cluster; times are RFC 3339 in UTC, or empty.

    ``expires_at`` is empty where nothing ends its life. ``kept_by`` names who keeps it, until
    ``kept_until`` or, where that is empty, without end.
    """

    project: str
    name: str
    namespace: str
    phase: Phase
    url: str = ""
    created_at: str = ""
    last_used_at: str = ""
    expires_at: str = ""
    commit: str = ""
    pipeline: str = ""
    merge_request: str = ""
    owner: str = ""
    kept_by: str = ""
    kept_until: str = ""

    def as_json(self) -> dict[str, Any]:
        """One entry of ``list``'s public JSON (docs/json.md)."""
        return {
            "project": self.project,
            "name": self.name,
            "namespace": self.namespace,
            "phase": str(self.phase),
            "url": self.url,
            "createdAt": self.created_at,
            "lastUsedAt": self.last_used_at,
            "expiresAt": self.expires_at,
            "commit": self.commit,
            "pipeline": self.pipeline,
            "mergeRequest": self.merge_request,
            "owner": self.owner,
            "kept": {"by": self.kept_by, "until": self.kept_until} if self.kept_by else None,
        }


def info_of(namespace: dict[str, Any]) -> EnvironmentInfo:
    """Read an environment from its Namespace, or from the Namespace's metadata alone.

    A namespace that is being deleted is ``Deleting`` whatever its annotation says, or ``Stuck``
    once a teardown has waited for it in vain.
    """
    from envctl.model.lifetime import life_of, stamp  # which takes its words from here

    meta = namespace.get("metadata", {})
    labels = meta.get("labels") or {}
    notes = meta.get("annotations") or {}
    phase = Phase.CREATING
    if meta.get("deletionTimestamp"):
        phase = Phase.STUCK if notes.get(PHASE) == Phase.STUCK else Phase.DELETING
    elif notes.get(PHASE) in set(Phase):
        phase = Phase(notes[PHASE])
    life = life_of(notes, meta.get("creationTimestamp", ""))
    keep = life.keep
    return EnvironmentInfo(
        project=labels.get(PROJECT, ""),
        name=labels.get(NAME, ""),
        namespace=meta.get("name", ""),
        phase=phase,
        url=notes.get(URL, ""),
        created_at=meta.get("creationTimestamp", ""),
        last_used_at=notes.get(LAST_USED, ""),
        expires_at=stamp(life.end) if life.end else "",
        commit=notes.get(COMMIT, ""),
        pipeline=notes.get(PIPELINE, ""),
        merge_request=notes.get(MERGE_REQUEST, ""),
        owner=notes.get(OWNER, ""),
        kept_by=(keep.by or "somebody") if keep else "",
        kept_until=stamp(keep.until) if keep and keep.until else "",
    )
