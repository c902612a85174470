"""Charts from where teams keep them: a chart repository, and an OCI registry.

Both are files behind HTTP: the repository as Helm's own `helm repo index` writes it, the registry
as the OCI distribution specification has a pull read it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.cluster.app import PAUSE, App
from tests.cluster.node import tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "application/vnd.cncf.helm.config.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
WORKLOAD = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: "{{{{ .Release.Name }}}}"}}
spec:
  selector: {{matchLabels: {{app: a}}}}
  template:
    metadata: {{labels: {{app: a}}}}
    spec: {{containers: [{{name: main, image: "{PAUSE}"}}]}}
"""


@pytest.fixture
def package(app: App, tmp_path: Path) -> Path:
    """The chart `stored` 1.2.3 as an archive in a folder of its own."""
    app.write(
        {
            "stored/Chart.yaml": "apiVersion: v2\nname: stored\nversion: 1.2.3\n",
            "stored/templates/workload.yaml": WORKLOAD,
        }
    )
    folder = tmp_path / "charts"
    folder.mkdir()
    command = [tool("helm"), "package", str(tmp_path / "stored"), "--destination", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "stored-1.2.3.tgz"


Files = dict[str, tuple[str, bytes]]


@contextlib.contextmanager
def served(files: Files) -> Iterator[str]:
    """Serve these paths on loopback; gives host:port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            kind, data = files.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", digest(data))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep the test's output its own."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def digest(data: bytes) -> str:
    """The digest by which a registry knows content."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def registry(archive: bytes) -> Files:
    """The chart as an OCI artifact `charts/stored:1.2.3`."""
    config = json.dumps({"name": "stored", "version": "1.2.3", "apiVersion": "v2"}).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest(archive), "size": len(archive)}],
        }
    ).encode()
    base = "/v2/charts/stored"
    return {
        "/v2/": ("application/json", b"{}"),
        f"{base}/tags/list": ("application/json", b'{"name":"charts/stored","tags":["1.2.3"]}'),
        f"{base}/manifests/1.2.3": (MANIFEST, manifest),
        f"{base}/manifests/{digest(manifest)}": (MANIFEST, manifest),
        f"{base}/blobs/{digest(config)}": (CONFIG, config),
        f"{base}/blobs/{digest(archive)}": (LAYER, archive),
    }


def _goes_up_and_down(app: App, source: str) -> None:
    component = f"  - {{name: remote, helm: {{{source}, version: 1.2.3}}, timeout: 60s}}\n"
    app.write({"envctl.yaml": app.config(component, checks="")})
    assert app.up()["result"] == "succeeded"
    assert app.get("deployment", "remote")["status"]["readyReplicas"] == 1
    assert app.up()["result"] == "unchanged"
    assert app.down()["result"] == "gone"


def test_a_chart_repository(app: App, package: Path) -> None:
    subprocess.run(
        [tool("helm"), "repo", "index", str(package.parent)], check=True, capture_output=True
    )
    files = {
        f"/{file.name}": ("application/octet-stream", file.read_bytes())
        for file in package.parent.iterdir()
    }
    with served(files) as host:
        _goes_up_and_down(app, f"chart: stored, repository: 'http://{host}'")


def test_an_oci_registry(app: App, package: Path) -> None:
    with served(registry(package.read_bytes())) as host:
        _goes_up_and_down(app, f"chart: 'oci://{host}/charts/stored'")


def test_a_chart_that_the_repository_lacks(app: App) -> None:
    with served({"/index.yaml": ("text/yaml", b"apiVersion: v1\nentries: {}\n")}) as host:
        app.write(
            {
                "envctl.yaml": app.config(
                    f"  - {{name: remote, helm: {{chart: none, repository: 'http://{host}', "
                    "version: 1.2.3}}\n",
                    checks="",
                )
            }
        )
        done = app.run("up", check=2)
    assert "not found" in done.stdout
    assert not app.kubectl.exists("namespace", app.namespace)
