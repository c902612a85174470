"""A registry on the node's own loopback, which containerd asks over plain HTTP.

It is a pod in the node's network, in a namespace beside the environment: from inside the node the
loopback of this machine cannot be reached, and nothing else is spoken to without TLS. It answers
as the distribution specification has a registry answer, and makes its one image itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.failures.objects import config_map, meta, pod, shell
from tests.failures.stage import PORT
from tests.until import until

if TYPE_CHECKING:
    from tests.failures.case import Object
    from tests.failures.stage import Stage

#: What the registry has, if it has anything: busybox, with a shell and `sleep`.
IMAGE = f"127.0.0.1:{PORT}/shop/web:1"

#: Answers one request. An image is files below /www, as they are asked for.
_ANSWER = r"""
read -r method path rest
while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
answer() {
  printf 'HTTP/1.1 %s\r\nConnection: close\r\n' "$1"
  printf 'Content-Type: %s\r\nContent-Length: %s\r\n\r\n' "$2" "$(stat -c %s "$3")"
  [ "$method" = HEAD ] || cat "$3"
}
error() {
  printf '{"errors":[{"code":"%s","message":"%s"}]}' "$2" "$3" > "/tmp/error$$"
  answer "$1" application/json "/tmp/error$$"
}
case $path in */blobs/*) sleep "${DELAY:-0}" ;; esac
if [ -n "$DENIED" ]; then
  error '403 Forbidden' DENIED 'requested access to the resource is denied'
elif [ ! -f "/www$path" ]; then
  error '404 Not Found' MANIFEST_UNKNOWN 'manifest unknown'
else
  type=application/octet-stream
  case $path in */manifests/*) type=application/vnd.oci.image.manifest.v1+json ;; esac
  if grep -q image.index "/www$path"; then type=application/vnd.oci.image.index.v1+json; fi
  answer '200 OK' $type "/www$path"
fi
"""

#: Makes the image, for the processor that $MACHINE names, and serves.
_SERVE = r"""
mkdir -p /tmp/root/bin /www/v2/shop/web/blobs /www/v2/shop/web/manifests
cd /www/v2/shop/web
if [ -n "$MACHINE" ]; then
  cp /bin/busybox /tmp/root/bin/
  ln -s busybox /tmp/root/bin/sh; ln -s busybox /tmp/root/bin/sleep
  tar -cf /tmp/layer -C /tmp/root .
  digest() { set -- $(sha256sum "$1"); echo "sha256:$1"; }
  blob() {
    printf '{"mediaType":"application/vnd.oci.image.%s","digest":"%s","size":%s}' \
      "$1" "$(digest "$2")" "$(stat -c %s "$2")"
    cp "$2" "blobs/$(digest "$2")"
  }
  cat > /tmp/config <<END
  {"architecture": "$MACHINE", "os": "linux", "config": {},
   "rootfs": {"type": "layers", "diff_ids": ["$(digest /tmp/layer)"]}}
END
  cat > manifests/1 <<END
  {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
   "config": $(blob config.v1+json /tmp/config), "layers": [$(blob layer.v1.tar /tmp/layer)]}
END
  cp manifests/1 "manifests/$(digest manifests/1)"
  cat > /tmp/index <<END
  {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
   {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "$(digest manifests/1)",
    "size": $(stat -c %s manifests/1), "platform": {"os": "linux", "architecture": "$MACHINE"}}]}
END
  cp /tmp/index manifests/1
  cp /tmp/index "manifests/$(digest /tmp/index)"
fi
touch /tmp/ready
exec nc -ll -p "$PORT" -e /bin/sh /etc/registry/answer
"""


def unknown(stage: Stage) -> None:
    """A registry that has no such image."""
    _start(stage)


def denied(stage: Stage) -> None:
    """A registry that lets nobody pull."""
    _start(stage, DENIED="1")


def foreign(stage: Stage) -> None:
    """A registry whose image is made for another processor."""
    _start(stage, MACHINE="s390x")


def slow(stage: Stage) -> None:
    """A registry that takes some seconds to hand out each part of its image."""
    _start(stage, MACHINE=_machine(stage), DELAY="3")


def stop(stage: Stage) -> None:
    """Take the registry away again."""
    stage.kubectl.run("delete", "namespace", _namespace(stage), "--wait=false")


def _namespace(stage: Stage) -> str:
    return f"{stage.project}-registry"


def _machine(stage: Stage) -> str:
    nodes = stage.kubectl.items("nodes")
    return str(nodes[0]["status"]["nodeInfo"]["architecture"])


def _start(stage: Stage, **settings: str) -> None:
    where = _namespace(stage)
    settings = {"PORT": str(stage.port), **settings}
    asks = f"printf 'GET /v2/ HTTP/1.0\\r\\n\\r\\n' | nc -w1 127.0.0.1 {stage.port}"
    server = shell(
        _SERVE,
        "registry",
        env=[{"name": name, "value": value} for name, value in settings.items()],
        volumeMounts=[{"name": "answer", "mountPath": "/etc/registry"}],
        readinessProbe={"exec": {"command": ["sh", "-c", asks]}, "periodSeconds": 1},
    )
    volumes = [{"name": "answer", "configMap": {"name": "answer"}}]
    found: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(where)},
        {**config_map("answer", answer=_ANSWER), "metadata": meta("answer", namespace=where)},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta("registry", namespace=where),
            "spec": pod(server, hostNetwork=True, volumes=volumes),
        },
    ]
    stage.kubectl.apply("---\n".join(json.dumps(obj) + "\n" for obj in found))
    until(lambda: _ready(stage, where))


def _ready(stage: Stage, where: str) -> bool:
    found = stage.kubectl("get", "pod", "registry", "-n", where)
    statuses = found["status"].get("containerStatuses") or []
    return any(status["ready"] for status in statuses)
