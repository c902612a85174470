from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.record import Checked
from envctl.model.status import (
    ComponentStatus,
    LockHolder,
    ObjectStatus,
    QuotaUse,
    StatusResult,
    holder_of,
    quota_of,
)
from envctl.output.lines import plain_text
from envctl.output.status import status_lines
from envctl.output.symbols import ASCII, UNICODE
from tests.unit.output.samples import EVIL, width_of

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
RESULT = StatusResult(
    EnvironmentInfo(
        "shop", "fix-cart", "shop-fix-cart", Phase.READY,
        created_at="2026-11-21T08:00:00Z", expires_at="2026-11-23T13:30:00Z",
        commit="0123456789abcdef", merge_request="42", owner="ada", pipeline="4711",
    ),
    ("http://fix-cart.preview.example.org/",),
    (
        ComponentStatus("db", "helm", "ready", (ObjectStatus("StatefulSet/db", True),)),
        ComponentStatus(
            "api", "kustomize", "failed",
            (
                ObjectStatus("Deployment/api", False, "0 of 1 replicas ready; OOMKilled (api)"),
                ObjectStatus("Service/api", True),
            ),
        ),
        ComponentStatus("web", "manifests", "unfinished", ()),
    ),
    (("smoke", Checked("d", passed=False, seconds=2.06)),),
    (QuotaUse("pods", "19", "20"), QuotaUse("requests.cpu", "250m", "4")),
    ("Deployment/web was edited by kubectl (spec.replicas)",),
    LockHolder("8f3a2c11", "4712", "2026-11-23T11:59:00Z", "2026-11-23T11:59:57Z"),
)  # fmt: skip


def test_the_whole_screen() -> None:
    assert plain_text(status_lines(RESULT, UNICODE, 100, NOW)) == (
        "shop/fix-cart  Ready\n"
        "  url    http://fix-cart.preview.example.org/\n"
        "  age    2d4h, 1h30m left, by ada, commit 01234567, merge request !42, pipeline 4711\n"
        "  lock   run 8f3a2c11 of pipeline 4712 works on it, seen 3s ago\n"
        "\n"
        "✔ db     helm       ready\n"
        "✘ api    kustomize  failed\n"
        "    Deployment/api: 0 of 1 replicas ready; OOMKilled (api)\n"
        "! web    manifests  unfinished\n"
        "✘ smoke  check      failed in 2.1 s\n"
        "\n"
        "  quota  pods 19 of 20 (95%)\n"
        "         requests.cpu 250m of 4 (6%)\n"
        "  drift  Deployment/web was edited by kubectl (spec.replicas)\n"
    )


def test_a_quota_that_is_nearly_used_up_is_a_warning() -> None:
    styles = {s.text: s.style for spans in status_lines(RESULT, UNICODE, 100, NOW) for s in spans}
    assert styles["pods 19 of 20 (95%)"] == "warn"
    assert styles["requests.cpu 250m of 4 (6%)"] == ""


@pytest.mark.parametrize("width", [40, 60, 80])
def test_it_is_never_wider_than_the_screen(width: int) -> None:
    assert all(width_of(spans) <= width for spans in status_lines(RESULT, ASCII, width, NOW))


def test_an_environment_without_anything() -> None:
    info = EnvironmentInfo("shop", "a", "shop-a", Phase.CREATING)
    empty = StatusResult(info, (), (), (), (), (), None)
    assert plain_text(status_lines(empty, ASCII, None, NOW)) == "shop/a  Creating\n"


def test_what_others_wrote_is_neutralised() -> None:
    component = ComponentStatus("x", "job", "failed", (ObjectStatus("Job/x", False, EVIL),))
    evil = replace(RESULT, components=(component,), drift=(EVIL,), urls=(EVIL,))
    text = plain_text(status_lines(evil, UNICODE, 80, NOW))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_nobody_holds_a_lock_that_was_let_go() -> None:
    assert holder_of(None) is None
    assert holder_of({"spec": {"holderIdentity": ""}}) is None
    held = {
        "metadata": {"annotations": {"envctl.dev/pipeline": "7"}},
        "spec": {"holderIdentity": "run", "acquireTime": "a", "renewTime": "b"},
    }
    assert holder_of(held) == LockHolder("run", "7", "a", "b")


def test_a_quota_that_was_not_counted_yet() -> None:
    fresh = {"spec": {"hard": {"pods": "60"}}}
    counted = {"status": {"hard": {"cpu": "4"}, "used": {"cpu": "1"}}}
    assert quota_of([fresh, counted]) == (QuotaUse("cpu", "1", "4"), QuotaUse("pods", "0", "60"))
