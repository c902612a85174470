"""An admission webhook on the node's own loopback, and what registers it for one project only.

``python -m tests.failures.webhook PORT CERTIFICATE KEY SECONDS`` serves it: what it is asked about
it refuses, or allows where it is only to be slow to come. It runs in the node's network, since from
inside the node the loopback of this machine cannot be reached, and begins after some seconds.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.contract.tls import private_ca
from tests.failures import beside
from tests.failures.objects import deployment, meta, pod

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.failures.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
NAME = "images.example.org"
#: What it says of what it refuses.
WHY = "images come from registry.example.org only"
DEPLOYMENTS, PODS = ("apps", "deployments"), ("", "pods")
_REFUSES, _SILENT = "denied the request", "failed calling webhook"
_serving: dict[str, subprocess.Popen[str]] = {}


def refusing(stage: Stage, kind: tuple[str, str]) -> None:
    """Refuses every object of the kind in the stage's environment."""
    _register(stage, kind, _serve(stage, "refuse", 0), _REFUSES)


def late(stage: Stage, kind: tuple[str, str], seconds: float) -> None:
    """Allows everything, but does not answer for the first seconds."""
    # The seconds count from when it is known that nobody answers.
    client, begin = _prepared(stage, "allow", seconds)
    _register(stage, kind, client, _SILENT)
    begin()


def absent(stage: Stage, kind: tuple[str, str]) -> None:
    """Nobody serves it."""
    service = {"name": "nobody", "namespace": "kube-system", "port": 443}
    _register(stage, kind, {"service": service}, _SILENT)


def stop(stage: Stage) -> None:
    """Take it away again."""
    stage.kubectl.run(
        "delete", "validatingwebhookconfiguration", stage.project, "--ignore-not-found"
    )
    beside.clear(stage)
    server = _serving.pop(stage.project, None)
    if server:
        with server:
            server.kill()


def _register(stage: Stage, kind: tuple[str, str], client: dict[str, Any], says: str) -> None:
    """Register it, and wait until the API server asks it."""
    group, plural = kind
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
            "resources": [plural]}  # fmt: skip
    hook = {
        "name": NAME, "failurePolicy": "Fail", "sideEffects": "None", "rules": [rule],
        "admissionReviewVersions": ["v1"], "timeoutSeconds": 2, "clientConfig": client,
        "namespaceSelector": beside.only_here(stage),
    }  # fmt: skip
    found = {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": meta(stage.project), "webhooks": [hook],
    }  # fmt: skip
    stage.kubectl.apply(json.dumps(found))
    made = deployment() if kind == DEPLOYMENTS else {
        "apiVersion": "v1", "kind": "Pod", "metadata": meta("web"), "spec": pod(),
    }  # fmt: skip
    beside.until_said(stage, says, made)


def _serve(stage: Stage, answer: str, seconds: float) -> dict[str, Any]:
    """Start the server; how the API server reaches it."""
    client, begin = _prepared(stage, answer, seconds)
    begin()
    return client


def _prepared(
    stage: Stage, answer: str, seconds: float
) -> tuple[dict[str, Any], Callable[[], None]]:
    """How the API server will reach the server, and what starts it."""
    # Not in the stage's folder: in it lies the application.
    tls = private_ca(stage.folder.with_name(f"{stage.folder.name}-tls"))
    inside = json.loads(stage.node.kubeconfig.with_name("status.json").read_text())["inside"]

    def begin() -> None:
        server = subprocess.Popen(
            ["nsenter", f"--net=/proc/{inside}/ns/net", sys.executable, "-m", __name__, answer,
             str(stage.port), str(tls.certificate), str(tls.key), str(seconds)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        _serving[stage.project] = server
        assert server.stdout
        assert server.stdout.readline() == "begun\n", "the webhook did not start"

    bundle = base64.b64encode(tls.ca_file.read_bytes()).decode()
    return {"url": f"https://127.0.0.1:{stage.port}/", "caBundle": bundle}, begin


class _Review(BaseHTTPRequestHandler):
    allowed = False

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        answer: dict[str, Any] = {"uid": request["uid"], "allowed": self.allowed}
        if not self.allowed:
            answer["status"] = {"message": WHY, "code": 403}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
        body = json.dumps({**review, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def main(answer: str, port: str, certificate: str, key: str, seconds: str) -> None:
    """Serve until killed; says that it has begun, at the latest when it listens."""
    if float(seconds):
        print("begun", flush=True)
        time.sleep(float(seconds))
    handler = type("Handler", (_Review,), {"allowed": answer == "allow"})
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    if not float(seconds):
        print("begun", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
