"""What the API server does not take, on whole runs: who is named, how often it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envctl.model.obstacle import WEBHOOK
from envctl.ports.cluster import ApiDown, Invalid, UnknownKind, WebhookDown
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envctl.errors import EnvctlError

WIDGET = {"apiVersion": "shop.example.org/v1", "kind": "Widget", "metadata": {"name": "big"}}
ONE = "components: [{name: web, manifests: [web.yaml], timeout: 3m}]\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.write(ONE, web=[config("a")])
    return found


def refusing(times: float, error: Callable[[], EnvctlError]) -> Callable[[str, str], None]:
    """Refuses to apply ConfigMap/a so many times."""
    left = times

    def before(verb: str, what: str) -> None:
        nonlocal left
        if (verb, what) == ("apply", "ConfigMap/a") and left > 0:
            left -= 1
            raise error()

    return before


def test_a_webhook_that_comes_back_is_waited_for(shop: Shop) -> None:
    shop.cluster.before = refusing(5, lambda: WebhookDown("not called"))
    result, error = shop.up()
    assert error is None
    assert result.result == "succeeded"
    assert "ConfigMap/a" in shop.names()


def test_a_webhook_that_does_not_come_back_is_given_up(shop: Shop) -> None:
    shop.cluster.before = refusing(float("inf"), lambda: WebhookDown("not called"))
    result, error = shop.up()
    assert error is not None
    assert error.exit_code == 1, "as for every obstacle that was given up"
    assert WEBHOOK <= result.seconds < WEBHOOK + 20, "no step begins it all anew"


def test_a_field_that_cannot_be_changed_is_named_with_what_to_do(shop: Shop) -> None:
    fixed = (("data", "field is immutable when `immutable` is set"),)
    shop.cluster.before = refusing(1, lambda: Invalid("no", fixed=fixed))
    _, error = shop.up()
    assert error is not None
    assert error.what == "ConfigMap/a of web cannot be changed in place: data."
    assert "`kubectl delete configmap a -n shop-fix`" in error.next


def test_any_other_refusal_stays_what_it_is(shop: Shop) -> None:
    shop.cluster.before = refusing(1, lambda: Invalid("Required value", next="Correct it."))
    _, error = shop.up()
    assert isinstance(error, Invalid)
    assert error.what == "Required value"


@pytest.mark.parametrize("kind", [UnknownKind, ApiDown])
def test_a_kind_that_is_not_served_names_the_object(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: type[UnknownKind | ApiDown]
) -> None:
    known = shop.cluster.resource

    async def resource(api_version: str, name: str) -> object:
        if name == "Widget":
            raise kind("The API is away.", why="Nobody serves it.", next="Start it.")
        return await known(api_version, name)

    monkeypatch.setattr(shop.cluster, "resource", resource)
    shop.write(ONE, web=[config("a"), WIDGET])
    result, error = shop.up()
    assert isinstance(error, kind)
    assert result.failure is not None
    assert result.failure.dependants == 0, "no component waits for another one"
    assert error.what == "Widget/big of web cannot be deployed: the API is away."
    assert error.next == "Start it."
