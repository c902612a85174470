from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envctl.model.environment import MANAGED_BY, NAME, PROJECT
from envctl.workflow.listing import environments
from tests.unit.virtual import virtually

if TYPE_CHECKING:
    from envctl.model.objects import Obj, Resource


class Namespaces:
    """Notes how it is asked, and answers with two environments in no order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    async def list(
        self, resource: Resource, *, selector: str, metadata_only: bool, **_: Any
    ) -> list[Obj]:
        self.asked.append((resource.plural, selector, metadata_only))
        return [
            {"metadata": {"name": f"shop-{name}", "labels": {PROJECT: "shop", NAME: name}}}
            for name in ("b", "a")
        ]


def test_one_request_for_metadata_however_many_there_are() -> None:
    cluster = Namespaces()
    found = virtually(environments(cluster, ""))  # type: ignore[arg-type]
    assert [info.name for info in found] == ["a", "b"]
    assert cluster.asked == [("namespaces", f"{MANAGED_BY}=envctl,{NAME}", True)]


def test_of_one_project() -> None:
    cluster = Namespaces()
    virtually(environments(cluster, "shop"))  # type: ignore[arg-type]
    assert cluster.asked[0][1].endswith(f",{PROJECT}=shop")
