"""The proxy that the fault tests look through changes nothing of its own accord, and what asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.proxy import Exchange, in_thread

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

    from tests.cluster.app import App


def test_a_proxy_that_passes_on_is_not_noticed(app: App, tmp_path: Path) -> None:
    seen: list[str] = []
    packed: list[str] = []

    async def note(exchange: Exchange) -> web.StreamResponse:
        seen.append(str(exchange))
        if exchange.watches and not exchange.by_helm:
            packed.append(exchange.request.headers["Accept-Encoding"])
        return await exchange.pass_on()

    with in_thread(app.node.kubeconfig, tmp_path / "proxy", note) as proxy:
        done = app.up(env={"KUBECONFIG": str(proxy.kubeconfig)})
        assert done["result"] == "succeeded"
        assert done["apiRequests"] <= len(seen), "the lock is let go after the count"
        assert any(what.startswith("envctl WATCH /api/v1/") for what in seen)
        assert set(packed) == {"identity"}, "what is packed may come late"
    assert app.up()["result"] == "unchanged"


def test_a_broken_connection_is_tried_again(app: App, tmp_path: Path) -> None:
    hit: list[str] = []

    async def break_the_fifth(exchange: Exchange) -> web.StreamResponse:
        if exchange.ordinal != 5:
            return await exchange.pass_on()
        hit.append(str(exchange))
        await (await exchange.ask()).read()
        return exchange.reset()

    with in_thread(app.node.kubeconfig, tmp_path / "proxy", break_the_fifth) as proxy:
        assert app.up(env={"KUBECONFIG": str(proxy.kubeconfig)})["result"] == "succeeded"
    assert len(hit) == 1
