"""The examples do what their READMEs say, on the real node."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import images
from tests.cluster.browser import Browser
from tests.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.node import Envctl, Kubectl, Node

# The first run on a machine builds the images: Go's compiler, and 100 MB of Debian packages.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def shop(envctl: Envctl, node: Node, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of examples/shop to change, and the variables that name its images."""
    return _example("shop", envctl, node, tmp_path)


@pytest.fixture
def minimal(envctl: Envctl, node: Node, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of examples/minimal, and the variables that name its image."""
    return _example("minimal", envctl, node, tmp_path)


def _example(name: str, envctl: Envctl, node: Node, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    copy = shutil.copytree(images.EXAMPLES / name, tmp_path / name)
    return copy, images.load(name, envctl, node)


def _chosen(node: Node, project: str) -> list[str]:
    return ["--context", node.context, "--project", project, "--name", "it", "-o", "json"]


def _changed(document: dict[str, Any]) -> set[str]:
    return {found["name"] for found in document["components"] if found["changed"]}


def test_shop_from_nothing_to_a_packed_order_and_away(
    shop: tuple[Path, dict[str, str]], envctl: Envctl, kubectl: Kubectl, node: Node, project: str
):
    folder, env = shop
    chosen = _chosen(node, project)

    first = envctl("up", *chosen, cwd=folder, env=env, check=0).json
    assert first["result"] == "succeeded"
    assert _changed(first) == {"db", "queue", "migrate", "backend", "web"}
    assert [(check["name"], check["result"]) for check in first["checks"]] == [("smoke", "passed")]
    namespace = first["environment"]["namespace"]

    measured = first["checks"][0]["metrics"]
    assert 0 < measured["packed_after_seconds"] < 60
    browser = Browser(node, first["environment"]["url"])
    # An ingress controller takes a moment to hear of a new route.
    page = until(lambda: browser.get("/"), lambda found: found.status == 200, 60)
    assert "The Tea Shop" in page.text
    goods = browser.get("/api/shop").json
    assert goods["database"].split(".")[0].isdigit()
    stock = {found["sku"]: found["stock"] for found in goods["products"]}
    order = _order(browser, "kettle")
    assert order["state"] == "packed"
    assert order["web"].startswith("web-")
    assert order["api"].startswith("api-")
    assert order["worker"].startswith("worker-")
    left = {found["sku"]: found["stock"] for found in browser.get("/api/shop").json["products"]}
    assert left == stock | {"kettle": stock["kettle"] - 1}

    second = envctl("up", *chosen, cwd=folder, env=env, check=0).json
    assert second["result"] == "unchanged"
    assert _changed(second) == set()
    assert second["checks"][0]["metrics"] == measured, "what it measured is remembered"

    _change_packing_time(folder)
    third = envctl("up", *chosen, cwd=folder, env=env, check=0).json
    assert _changed(third) == {"backend"}
    assert _generated(kubectl, namespace) == 1, "the ConfigMap of the old settings was left behind"
    assert _packed(browser, order["id"])["state"] == "packed", "data was lost"

    _packs_once_though_worker_and_queue_die(browser, kubectl, namespace)
    _satisfies_restricted(kubectl, namespace)

    assert envctl("down", *chosen, check=0).json["result"] == "gone"
    assert not kubectl.exists("namespace", namespace)
    assert envctl("down", *chosen, check=0).json["result"] == "absent"


def test_minimal(
    minimal: tuple[Path, dict[str, str]], envctl: Envctl, kubectl: Kubectl, node: Node, project: str
):
    folder, env = minimal
    chosen = _chosen(node, project)
    first = envctl("up", *chosen, cwd=folder, env=env, check=0).json
    url = first["environment"]["url"]
    answer = until(lambda: Browser(node, url).get("/"), lambda found: found.status == 200)
    assert answer.text.startswith("Hello from web-")
    assert envctl("up", *chosen, cwd=folder, env=env, check=0).json["result"] == "unchanged"
    assert envctl("down", *chosen, check=0).json["result"] == "gone"
    assert not kubectl.exists("namespace", first["environment"]["namespace"])


@pytest.mark.parametrize("example", ["shop", "minimal"])
def test_validates_offline(example: str, envctl: Envctl):
    names = ("web", "api", "worker", "migrate", "smoke", "postgres", "redis", "hello")
    env = {f"ENVCTL_IMAGE_{name.upper()}": f"docker.io/any/{name}:1" for name in names}
    envctl("validate", cwd=images.EXAMPLES / example, env=env, check=0)


def _packs_once_though_worker_and_queue_die(
    browser: Browser, kubectl: Kubectl, namespace: str
) -> None:
    stock = _stock(browser, "teapot")
    placed = browser.post("/api/orders", {"sku": "teapot"}).json
    for part in ("worker", "queue"):
        selector = f"app.kubernetes.io/name={part}"
        kill = ("delete", "pod", "-n", namespace, "-l", selector, "--grace-period=0", "--force")
        assert kubectl.run(*kill).returncode == 0
    assert _packed(browser, placed["id"], seconds=90)["state"] == "packed"
    assert _stock(browser, "teapot") == stock - 1


def _order(browser: Browser, sku: str) -> dict[str, Any]:
    answer = browser.post("/api/orders", {"sku": sku})
    assert answer.status == 201, answer
    return _packed(browser, answer.json["id"])


def _packed(browser: Browser, order: int, seconds: float = 60) -> dict[str, Any]:
    found: dict[str, Any] = until(
        lambda: browser.get(f"/api/orders/{order}"),
        lambda answer: answer.status == 200 and answer.json["state"] != "placed",
        seconds,
    ).json
    return found


def _stock(browser: Browser, sku: str) -> int:
    products = browser.get("/api/shop").json["products"]
    return next(int(found["stock"]) for found in products if found["sku"] == sku)


def _change_packing_time(folder: Path) -> None:
    file = folder / "deploy/backend/overlays/preview/kustomization.yaml"
    text = file.read_text()
    assert "1500ms" in text
    file.write_text(text.replace("1500ms", "100ms"))


def _generated(kubectl: Kubectl, namespace: str) -> int:
    found = kubectl.items("configmaps", "-n", namespace)
    return sum(entry["metadata"]["name"].startswith("shop-") for entry in found)


def _satisfies_restricted(kubectl: Kubectl, namespace: str) -> None:
    """The API server warns of every running pod that a stricter level would not admit."""
    label = "pod-security.kubernetes.io/enforce=restricted"
    done = kubectl.run("label", "--dry-run=server", "--overwrite", "namespace", namespace, label)
    assert done.returncode == 0, str(done)
    assert "Warning" not in done.stderr, done.stderr
