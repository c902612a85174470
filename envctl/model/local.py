"""The nouns of ``envctl local``: what is asked for, and how a cluster is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Profile(enum.StrEnum):
    """How much of a cluster runs: the whole node, or only what answers API requests."""

    NODE = "node"
    CONTROL_PLANE = "control-plane"


class LocalState(enum.StrEnum):
    """A cluster answers requests, or only its folder is there, or not even that."""

    RUNNING = "running"
    STOPPED = "stopped"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What ``envctl local start`` was asked for; a port of 0 means: choose one.

    ``source`` is the file or URL of an archive of built programs, or empty to build them here.
    """

    name: str
    profile: Profile = Profile.NODE
    fake_nodes: int = 0
    source: str = ""
    api_port: int = 0
    ingress_port: int = 0


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """The public JSON of ``envctl local status``: fields that do not apply are empty or zero."""

    name: str
    state: LocalState
    context: str
    kubeconfig: str = ""
    ingress: str = ""
    version: str = ""
    nodes: int = 0

    def as_json(self) -> dict[str, Any]:
        """The document that scripts read."""
        return {
            "name": self.name,
            "state": str(self.state),
            "context": self.context,
            "kubeconfig": self.kubeconfig,
            "ingress": self.ingress,
            "version": self.version,
            "nodes": self.nodes,
        }
