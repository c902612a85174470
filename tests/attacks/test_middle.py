"""Whom envctl speaks with: only who proves to be the server, and no program of the repository."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.tls import private_ca

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.app import App
    from tests.cluster.node import Envctl

TOKEN = "token-that-nobody-else-may-see"
_CHART = "{apiVersion: v2, name: a, version: 1.0.0}\n"


class _Listener(http.server.BaseHTTPRequestHandler):
    """Answers everything with nothing, and remembers what it was sent."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(f"{self.path} {self.headers}")
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - http.server's own name

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def _listening(folder: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Somebody with a CA of his own who answers on loopback: URL, CA, what he heard."""
    made = private_ca(folder)
    heard: list[str] = []
    handler = type("Listener", (_Listener,), {"heard": heard})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", made.ca_file, heard
    finally:
        server.shutdown()
        server.server_close()


def _kubeconfig(path: Path, user: dict[str, Any], **cluster: Any) -> dict[str, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "kind-a",
        "clusters": [{"name": "a", "cluster": cluster}],
        "users": [{"name": "a", "user": user}],
        "contexts": [{"name": "kind-a", "context": {"cluster": "a", "user": "a"}}],
    }))  # fmt: skip
    return {"KUBECONFIG": str(path)}


@pytest.mark.parametrize("authority", ["none", "another"])
def test_another_server_gets_no_token(authority: str, envctl: Envctl, tmp_path: Path) -> None:
    with _listening(tmp_path / "his") as (url, _, heard):
        more = {}
        if authority == "another":
            more["certificate-authority"] = str(private_ca(tmp_path / "ours").ca_file)
        env = _kubeconfig(tmp_path / "kubeconfig", {"token": TOKEN}, server=url, **more)
        done = envctl("list", "--context", "kind-a", "-o", "json", env=env, check=None)
        assert done.returncode in (75, 77), str(done)
        assert "certificate" in (done.stdout + done.stderr).lower(), str(done)
        assert TOKEN not in done.stdout + done.stderr
        assert heard == []
    with _listening(tmp_path / "seen") as (url, authority_file, heard):
        env = _kubeconfig(tmp_path / "kubeconfig", {"token": TOKEN}, server=url,
                          **{"certificate-authority": str(authority_file)})  # fmt: skip
        envctl("list", "--context", "kind-a", "-o", "json", env=env, check=None)
        assert any(TOKEN in request for request in heard), "the test can see a token that is sent"


def test_a_kubeconfig_that_trusts_anybody_is_refused(envctl: Envctl, tmp_path: Path) -> None:
    more = {"server": "https://api.example.org", "insecure-skip-tls-verify": True}
    env = _kubeconfig(tmp_path / "kubeconfig", {"token": TOKEN}, **more)
    done = envctl("list", "--context", "kind-a", "-o", "json", env=env, check=77)
    assert "trusts whoever answers for api.example.org" in done.stdout + done.stderr


def test_a_kubeconfig_of_the_repository_runs_no_program(app: App) -> None:
    repository = app.folder
    evil = repository / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {repository}/ran\nexit 1\n")
    evil.chmod(0o755)
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(evil),
                       "interactiveMode": "Never"}}  # fmt: skip
    env = _kubeconfig(repository / ".kube/config", plugin, server="https://127.0.0.1:9")
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    subprocess.run(["git", "-C", str(repository), "add", "-A"], check=True)
    app.write({"envctl.yaml": app.config().replace(app.node.context, "kind-a")})
    for verb in ("plan", "status"):
        done = app.run(verb, check=77, env=env)
        assert "names a program to run" in done.stdout + done.stderr, str(done)
    assert not (repository / "ran").exists()
    subprocess.run(["git", "-C", str(repository), "rm", "-q", "--cached", ".kube/config"],
                   check=True)  # fmt: skip
    app.run("status", check=None, env=env)
    assert (repository / "ran").exists(), "one that git does not know is the user's own"
