"""A kind that is not served: because nobody defined it, or because its server is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.adapters.kubernetes import discovery
from envctl.errors import Forbidden
from envctl.ports.cluster import ApiDown
from tests.unit.virtual import virtually

if TYPE_CHECKING:
    from envctl.model.objects import Obj


class Registered:
    """A cluster, as far as its APIServices go; None where they may not be listed."""

    def __init__(self, services: list[Obj] | None) -> None:
        self.services = services

    async def list(self, *_: Any) -> list[Obj]:
        if self.services is None:
            raise Forbidden("no")
        return self.services


def service(available: str, group: str = "shop.example.org") -> Obj:
    condition = {"type": "Available", "status": available, "message": "no response from https://x."}
    return {
        "metadata": {"name": f"v1.{group}"},
        "spec": {"service": {"name": "reports", "namespace": "shop"}},
        "status": {"conditions": [condition]},
    }


def refuse(services: list[Obj] | None) -> None:
    cluster: Any = Registered(services)
    virtually(discovery.refuse_dead(cluster, "shop.example.org/v1"))


@pytest.mark.parametrize(
    "services", [None, [], [service("True")], [service("False", "other.example.org")]]
)
def test_nothing_is_said_of_what_is_served_or_not_known(services: list[Obj] | None) -> None:
    refuse(services)


def test_a_dead_api_is_named_with_who_should_serve_it() -> None:
    with pytest.raises(ApiDown) as found:
        refuse([service("False")])
    assert found.value.exit_code == 75, "trying again helps once it is back"
    assert found.value.what == "APIService/v1.shop.example.org is not available."
    assert "Service/reports in shop should serve it: no response from https://x." in found.value.why
    assert "kubectl delete apiservice v1.shop.example.org" in found.value.next
