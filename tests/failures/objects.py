"""The objects that cases are made of, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster.app import BUSYBOX, PAUSE

if TYPE_CHECKING:
    from tests.failures.case import Object

#: What a pod's status says when a container has ended for the third time, and when one has been
#: killed for its memory for the second time.
THIRD_END = r'"restartCount":2,[^{]*"state":\{"(terminated|waiting)"|"restartCount":[3-9]'
OUT_OF_MEMORY_TWICE = (
    r'OOMKilled.*"restartCount":1,[^{]*"state":\{"waiting"|OOMKilled.*"restartCount":[2-9]'
    r'|"restartCount":1,[^{]*"state":\{"terminated".*OOMKilled'
)

__all__ = ["BUSYBOX", "PAUSE"]


def meta(name: str, **more: Any) -> Object:
    """The metadata of an object."""
    return {"name": name, **more}


def container(name: str = "web", image: str = PAUSE, **more: Any) -> Object:
    """A container of a pod."""
    return {"name": name, "image": image, "imagePullPolicy": "IfNotPresent", **more}


def shell(line: str, name: str = "web", **more: Any) -> Object:
    """A container that runs a line of shell."""
    return container(name, BUSYBOX, command=["/bin/sh", "-c", line], **more)


def pod(*containers: Object, **more: Any) -> Object:
    """The spec of a pod that ends at once when it is told to."""
    found = containers or (container(),)
    return {"terminationGracePeriodSeconds": 1, "containers": list(found), **more}


def deployment(spec: Object | None = None, name: str = "web", **more: Any) -> Object:
    """A Deployment of one pod; ``more`` goes into its spec."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec or pod()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name),
        "spec": {
            "replicas": 1, "selector": {"matchLabels": labels}, "template": template, **more,
        },
    }  # fmt: skip


def job(spec: Object, name: str = "task", **more: Any) -> Object:
    """A Job that is tried once; ``more`` goes into its spec."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta(name),
        "spec": {
            "backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", **spec}}, **more,
        },
    }  # fmt: skip


def config_map(name: str, **data: str) -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": data}


def service(name: str = "web", port: int = 80, **selector: str) -> Object:
    """A Service; it selects the Deployment of its name unless told otherwise."""
    spec = {"selector": selector or {"app": name}, "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": spec}
