"""``extend`` and ``keep`` on the cluster in memory, and what ``up`` writes for them."""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import EnvctlError, Refused
from envctl.model.environment import Environment
from envctl.model.lifetime import stamp
from envctl.workflow.lifetime import extend, keep, release
from tests.unit.virtual import virtually
from tests.unit.workflow.gcworld import DAY, HOUR, START, Sweep, ago, stamped
from tests.unit.workflow.world import NAMESPACE_KEY, Shop, config

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.model.result import LifetimeResult

MINE = Environment("shop", "mine", "shop-mine", owner="ann")


def prolonged(sweep: Sweep, seconds: float | None) -> LifetimeResult:
    return virtually(extend(sweep.world(), MINE, seconds))


def note(sweep: Sweep, name: str) -> str | None:
    key = ("", "Namespace", "", "shop-mine")
    found: str | None = sweep.cluster.store[key]["metadata"]["annotations"].get(
        f"envctl.dev/{name}"
    )
    return found


@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0])
def test_extend_counts_from_the_servers_now(skew: float) -> None:
    sweep = Sweep(skew=skew)
    sweep.used("mine", 3 * DAY - HOUR)
    assert prolonged(sweep, DAY).environment.expires_at == stamped(-DAY)
    assert prolonged(sweep, DAY).result == "unchanged"
    assert prolonged(sweep, HOUR).result == "unchanged", "a later end stays"
    assert prolonged(sweep, None).environment.expires_at == stamped(-3 * DAY), "a ttl by default"


def test_extend_never_goes_past_the_greatest_age() -> None:
    sweep = Sweep()
    sweep.used("mine", 2.5 * DAY, created=13 * DAY, max=f"{14 * DAY:.0f}")
    found = prolonged(sweep, 9 * DAY)
    assert found.environment.expires_at == stamped(-DAY)
    assert prolonged(sweep, 9 * DAY).result == "unchanged"
    sweep.used("mine", 2.5 * DAY, max=f"{14 * DAY:.0f}", created=14 * DAY)
    sweep.cluster.store["", "Namespace", "", "shop-mine"]["metadata"]["creationTimestamp"] = (
        stamped(14 * DAY)
    )
    with pytest.raises(Refused, match="greatest age"):
        prolonged(sweep, DAY)


def test_keep_and_release() -> None:
    sweep = Sweep()
    sweep.used("mine", 99 * DAY)

    def kept(until: Any = None, seconds: float | None = None) -> str:
        return virtually(keep(sweep.world(), MINE, until, seconds)).result

    assert [kept(), kept()] == ["kept", "unchanged"]
    assert note(sweep, "keep") == "always by ann"
    assert kept(seconds=DAY) == "kept"
    assert note(sweep, "keep") == f"{stamped(-DAY)} by ann"
    assert kept(until=ago(-DAY)) == "unchanged"
    with pytest.raises(Refused, match="has passed"):
        kept(until=ago(1))
    assert virtually(release(sweep.world(), MINE)).result == "released"
    assert virtually(release(sweep.world(), MINE)).result == "unchanged"
    assert note(sweep, "keep") is None


@pytest.mark.parametrize("verb", [
    lambda s: extend(s.world(), MINE, 99 * DAY), lambda s: keep(s.world(), MINE, None, None),
])  # fmt: skip
def test_what_is_being_deleted_cannot_be_had_back(verb: Any) -> None:
    """Not even when the teardown marks it between the look and the write."""
    sweep = Sweep()
    sweep.used("mine", HOUR)
    sweep.before_write(
        "patch", "Namespace/shop-mine", lambda: sweep.used("mine", HOUR, phase="Deleting") and None
    )
    with pytest.raises(EnvctlError, match="is being deleted"):
        virtually(verb(sweep))
    assert note(sweep, "keep") is None
    assert note(sweep, "extended-until") is None


def test_strangers_and_nobody() -> None:
    sweep = Sweep()
    with pytest.raises(EnvctlError, match="does not exist"):
        prolonged(sweep, DAY)
    sweep.used("mine", HOUR, project="shop")
    sweep.cluster.store["", "Namespace", "", "shop-mine"]["metadata"]["labels"] = {}
    with pytest.raises(Refused, match="not this environment's"):
        prolonged(sweep, DAY)


def test_up_writes_what_extend_and_gc_need_by_the_servers_clock(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.cluster.time = lambda: START + timedelta(days=1)
    shop.write(
        textwrap.dedent("""
        environment: {lifetime: {ttl: 10h, max: 40h}}
        components: [{name: a, manifests: [a.yaml]}]
        """),
        a=[config("a")],
    )
    shop.up()
    notes = shop.cluster.store[NAMESPACE_KEY]["metadata"]["annotations"]
    assert notes["envctl.dev/ttl"] == "36000"
    assert notes["envctl.dev/max"] == "144000"
    assert notes["envctl.dev/last-used-at"] == stamp(START + timedelta(days=1))
    assert notes["envctl.dev/expires-at"] == stamp(START + timedelta(hours=34))


def test_an_extension_outlives_the_next_run(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write("components: [{name: a, manifests: [a.yaml]}]\n", a=[config("a")])
    shop.up()
    mine = Environment("shop", "fix", "shop-fix")
    first = virtually(extend(shop.world(), mine, 9 * DAY)).environment.expires_at
    result, _ = shop.up()
    assert result.environment.expires_at == first == stamped(-9 * DAY)
