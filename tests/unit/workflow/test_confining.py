"""A confined environment on whole runs: what is refused is refused before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import Refused
from tests.unit.workflow.world import NAMESPACE_KEY, Shop, config

if TYPE_CHECKING:
    from pathlib import Path

CONFINED = {"ENVCTL_PROFILE": "confined"}
TWO = """\
components:
- {name: db, helm: {chart: oci://r/db, version: "1"}}
- {name: web, needs: [db], manifests: [web.yaml]}
"""


def pod(secret: str) -> dict[str, Any]:
    container = {"name": "x", "image": "i", "envFrom": [{"secretRef": {"name": secret}}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"},
            "spec": {"containers": [container]}}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.helm.charts["db"] = [config("db", kind="Secret")]
    found.write(TWO, web=[config("a")])
    return found


def refused(shop: Shop) -> Refused:
    _, error = shop.up(env=CONFINED)
    assert isinstance(error, Refused), error
    assert not {"ConfigMap/a", "Secret/db"} & shop.names()
    return error


def test_a_plain_application_is_deployed_and_marked(shop: Shop) -> None:
    _, error = shop.up(env=CONFINED)
    assert error is None
    assert {"ConfigMap/a", "Secret/db"} <= shop.names()
    labels = shop.cluster.store[NAMESPACE_KEY]["metadata"]["labels"]
    assert labels["envctl.dev/profile"] == "confined"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_chart_is_applied_without_a_release_and_gone_with_the_file(shop: Shop) -> None:
    shop.up(env=CONFINED)
    managers = shop.cluster.store["", "Secret", "shop-fix", "db"]["metadata"]["managedFields"]
    assert {entry["manager"] for entry in managers} == {"envctl"}
    shop.write("components:\n- {name: web, manifests: [web.yaml]}\n", web=[config("a")])
    _, error = shop.up(env=CONFINED)
    assert error is None
    assert "Secret/db" not in shop.names()
    assert shop.helm.uninstalled == []


def test_a_service_of_the_cluster_is_not_asked_for_secrets(shop: Shop) -> None:
    shop.write(TWO, web=[config("a", annotations={"reflector.example.org/reflects": "a/b"})])
    assert "ConfigMap/a is not allowed" in refused(shop).what


def test_a_hook_is_not_run(shop: Shop) -> None:
    shop.helm.hooks = [config("hook", annotations={"helm.sh/hook": "pre-install"})]
    assert "is a hook (pre-install)" in refused(shop).why


def test_a_secret_that_is_not_its_own_is_not_read(shop: Shop) -> None:
    shop.write(TWO, web=[config("a"), pod("registry-password")])
    assert "reads the Secret registry-password" in refused(shop).why
