"""The deployment pipeline's jobs, run for real: images built, pushed to a registry, promoted."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.node import clean_environment
from tests.cluster.pipelines import ROOT, Pipelines
from tests.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.node import Node

_CONFIG = """\
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/registry}}}}
http:
  addr: 127.0.0.1:{port}
  tls: {{certificate: {folder}/tls.crt, key: {folder}/tls.key}}
"""


class Registry:
    """A registry on loopback, with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.host = f"localhost:{self.port}"
        self.certificate = folder / "tls.crt"

    def get(self, path: str, accept: str = "*/*") -> tuple[Any, str]:
        """A document of the registry, and the digest that it says it has."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        request = urllib.request.Request(f"https://{self.host}{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return json.load(answer), answer.headers.get("Docker-Content-Digest", "")

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            self.get("/v2/")
        except OSError:
            return False
        return True


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    found = Registry(folder)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
         str(folder / "tls.key"), "-out", str(found.certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "config.yml").write_text(_CONFIG.format(folder=folder, port=found.port))
    with _running("docker-registry", "serve", str(folder / "config.yml")):
        until(found.answers, seconds=20)
        yield found


@contextmanager
def _running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    for name in ("api", "web"):
        (folder / name).mkdir(parents=True)
        (folder / name / "program").write_text(f"{name}\n")
        (folder / name / "Containerfile").write_text(
            f"FROM scratch\nCOPY program /program\nLABEL part={name}\n"
        )
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: shop, version: 1.2.3}\n")
    (folder / "package-lock.json").write_text(
        '{"name": "shop", "version": "1.0.0", "lockfileVersion": 3, '
        '"packages": {"": {"name": "shop", "version": "1.0.0"}}}'
    )
    (folder / "package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    return folder


def test_what_was_built_is_pushed_by_digest_and_promoted(
    repository: Path, registry: Registry, node: Node, tmp_path: Path
) -> None:
    pipelines = Pipelines(
        repository, node, tmp_path / "home",
        {
            "toolchain": "shell", "images": ["api", "web"], "chart": "chart", "sbom": "npm",
            "registry": f"{registry.host}/shop",
            "lint": ["echo linted > linted"],
            "unit": ["echo '<testsuite name=\"shop\" tests=\"1\"/>' > report.xml"],
        },
        "pipeline",
    )  # fmt: skip
    pipelines.variables["SSL_CERT_FILE"] = str(registry.certificate)
    done = pipelines.run()
    assert (repository / "linted").exists()
    assert json.loads((repository / "gl-sbom.cdx.json").read_text())["bomFormat"] == "CycloneDX"

    commit = pipelines.git("rev-parse", "HEAD")
    handed = dict(line.split("=", 1) for line in (repository / "images.env").read_text().split())
    assert sorted(handed) == ["ENVCTL_IMAGE_API", "ENVCTL_IMAGE_WEB"]
    for name in ("api", "web"):
        accept = "application/vnd.oci.image.manifest.v1+json"
        _, digest = registry.get(f"/v2/shop/{name}/manifests/{commit}", accept)
        assert handed[f"ENVCTL_IMAGE_{name.upper()}"] == f"{registry.host}/shop/{name}@{digest}"
    assert registry.get("/v2/shop/charts/shop/tags/list")[0]["tags"] == ["1.2.3"]
    assert re.search(r"Digest: sha256:[0-9a-f]{64}", done.stdout + done.stderr)

    main = pipelines.event() | {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main",
                                "CI_DEFAULT_BRANCH": "main"}  # fmt: skip
    pipelines.run_with(main, "promote")
    _, promoted = registry.get("/v2/shop/api/manifests/stable", accept)
    assert handed["ENVCTL_IMAGE_API"].endswith(promoted)
    assert not list(pipelines.home.glob("registry-*"))


def test_a_job_of_the_same_name_replaces_a_part(
    repository: Path, node: Node, tmp_path: Path
) -> None:
    pipelines = Pipelines(
        repository, node, tmp_path / "home", {"toolchain": "shell", "images": ["api"]}, "pipeline"
    )
    config = repository / ".gitlab-ci.yml"
    config.write_text(config.read_text() + "lint: {script: ['echo ours > linted']}\n")
    pipelines.commit()
    pipelines.run("lint")
    assert (repository / "linted").read_text() == "ours\n"


def test_the_images_of_an_example_are_pushed_by_digest(registry: Registry) -> None:
    """What the project's own pipeline does for the shop, with the smallest example."""
    done = subprocess.run(
        ["bash", ".ci/push-images", "minimal", f"{registry.host}/minimal"],
        cwd=ROOT, env=clean_environment({"SSL_CERT_FILE": str(registry.certificate)}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    variable, _, reference = done.stdout.strip().partition("=")
    assert variable == "ENVCTL_IMAGE_HELLO"
    name, _, digest = reference.partition("@")
    assert name == f"{registry.host}/minimal/hello"
    accept = "application/vnd.oci.image.manifest.v1+json"
    assert registry.get(f"/v2/minimal/hello/manifests/{digest}", accept)[1] == digest
