"""The cluster that runs race on, and what it saw: who held the lock when, and who wrote what.

A control plane of its own with KWOK's nodes. Each racing run is a service account of its own, so
that the audit log says of every request which run it was, that of its helm included.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.cluster.node import Envctl, Kubectl, Node, clean_environment, kubectl_command

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS = 8
NAMESPACE = "racers"
MUTATING = ("create", "update", "patch", "delete", "deletecollection")
#: Asked, not written: a POST whose answer is all there is to it.
_QUESTIONS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews"}

_SETUP = f"""\
apiVersion: v1
kind: Namespace
metadata: {{name: {NAMESPACE}}}
---
apiVersion: v1
kind: Namespace
metadata: {{name: envctl-system}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: {NAMESPACE}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects:
  - {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:serviceaccounts:{NAMESPACE}"}}
"""


@dataclass(frozen=True)
class Written:
    """A write that succeeded. Times are the API server's own, in text that sorts by time."""

    who: str
    agent: str
    verb: str
    what: str
    received: str
    done: str
    dry: bool


@dataclass
class World:
    """A running control plane; close it with ``closed``."""

    node: Node
    folder: Path
    kubeconfigs: list[Path] = field(default_factory=list)
    _audit: list[dict[str, Any]] = field(default_factory=list)
    _leases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _end: threading.Event = field(default_factory=threading.Event)
    _watch: subprocess.Popen[str] | None = None

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(self.node)

    @contextlib.contextmanager
    def watched(self) -> Iterator[World]:
        """Accounts made, and the audit log and the Leases followed until the end."""
        self._make_accounts()
        threads = [
            threading.Thread(target=follow, daemon=True)
            for follow in (self._follow_audit, self._follow_leases)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._end.set()
            if self._watch is not None:
                self._watch.kill()
            for thread in threads:
                thread.join(10)

    # What was seen

    def tenures(self, lease: str) -> list[str]:
        """The ``holderIdentity`` of each version of the Lease, in order; empty for none."""
        with self._lock:
            versions = list(self._leases.get(lease, []))
        return [str((v.get("spec") or {}).get("holderIdentity") or "") for v in versions]

    def writes(self, namespace: str) -> list[Written]:
        """What was written of an environment: in its namespace, the namespace, and outside it.

        An object outside belongs to it where its name begins with the namespace's.
        """
        with self._lock:
            events = list(self._audit)
        return [_written(e) for e in events if _of(e, namespace)]

    def lease_writes(self, lease: str) -> list[Written]:
        """Every write of the environment's Lease, in the order in which the server did them."""
        with self._lock:
            events = [e for e in self._audit if _is_lease(e, lease)]
        return sorted((_written(e) for e in events), key=lambda w: w.done)

    def forget(self, namespace: str) -> None:
        """Drop what is known of an environment whose race is over."""
        with self._lock:
            self._leases.pop(namespace, None)
            self._audit = [
                e for e in self._audit if not _of(e, namespace) and not _is_lease(e, namespace)
            ]

    # Following

    def _follow_audit(self) -> None:
        path = self.node.kubeconfig.parent / "audit" / "audit.log"
        file, rest = path.open(), ""
        file.seek(0, 2)
        while not self._end.is_set():
            text = file.read()
            if not text:
                if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                    file.close()
                    file = path.open()  # rotated
                    continue
                time.sleep(0.05)
                continue
            *lines, rest = (rest + text).split("\n")
            kept = [e for line in lines if '"verb":"' in line and (e := _mutation(line))]
            with self._lock:
                self._audit += kept
        file.close()

    def _follow_leases(self) -> None:
        path, since = "/apis/coordination.k8s.io/v1/namespaces/envctl-system/leases?watch=1", ""
        while not self._end.is_set():  # the server ends a watch after half an hour or more
            since = since and f"&resourceVersion={since}"
            self._watch = subprocess.Popen(
                [*kubectl_command(), "--context", self.node.context, "get", "--raw", path + since],
                env=clean_environment({"KUBECONFIG": str(self.node.kubeconfig)}),
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            with self._watch as watch:
                assert watch.stdout is not None
                for line in watch.stdout:
                    event = json.loads(line)
                    since = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "DELETED":
                        self._see_lease(event["object"])

    def _see_lease(self, lease: dict[str, Any]) -> None:
        with self._lock:
            self._leases.setdefault(lease["metadata"]["name"], []).append(lease)

    # Accounts

    def _make_accounts(self) -> None:
        self.kubectl.apply(_SETUP)
        base = yaml.safe_load(self.node.kubeconfig.read_text())
        name, admin = base["users"][0]["name"], base["users"][0]["user"]
        for index in range(ACCOUNTS):
            user = {**admin, "as": f"system:serviceaccount:{NAMESPACE}:{account(index)}"}
            path = self.folder / f"{account(index)}.kubeconfig"
            path.write_text(yaml.safe_dump({**base, "users": [{"name": name, "user": user}]}))
            self.kubeconfigs.append(path)


def account(index: int) -> str:
    return f"racer-{index}"


def _mutation(line: str) -> dict[str, Any] | None:
    event: dict[str, Any] = json.loads(line)
    if event["verb"] not in MUTATING or event.get("stage") != "ResponseComplete":
        return None
    if (event.get("responseStatus") or {}).get("code", 500) >= 300:
        return None
    return event


def _of(event: dict[str, Any], namespace: str) -> bool:
    about = event.get("objectRef") or {}
    if about.get("resource") in _QUESTIONS or _is_lease(event, namespace):
        return False
    name, inside = about.get("name", ""), about.get("namespace", "")
    return bool(inside == namespace or (not inside and name.startswith(namespace)))


def _is_lease(event: dict[str, Any], name: str) -> bool:
    about = event.get("objectRef") or {}
    return about.get("resource") == "leases" and about.get("name") == name


def _written(event: dict[str, Any]) -> Written:
    about = event.get("objectRef") or {}
    return Written(
        who=event.get("impersonatedUser", event["user"])["username"].rpartition(":")[2],
        agent=event.get("userAgent", ""),
        verb=event["verb"],
        what=f"{about.get('resource')}/{about.get('name', '')}",
        received=event["requestReceivedTimestamp"],
        done=event["stageTimestamp"],
        dry="dryRun=" in event["requestURI"],
    )


@contextlib.contextmanager
def control_plane(name: str, folder: Path) -> Iterator[World]:
    """A control plane of the race's own, gone with all its data at the end."""
    envctl = Envctl()
    started = envctl(
        "local", "start", "--name", name, "--profile", "control-plane", "--nodes-fake", "2",
        "-o", "json", check=0, timeout=1200,
    ).json  # fmt: skip
    try:
        node = Node(name, Path(started["kubeconfig"]), started["context"], "")
        with World(node, folder).watched() as world:
            yield world
    finally:
        envctl("local", "stop", "--name", name, "--delete", check=0)
