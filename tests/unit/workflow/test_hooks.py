"""A release's hooks: a failed one is explained by its own Job, and by no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from envctl.errors import EnvctlError, TimedOut
from envctl.model.failure import Failure
from envctl.model.objects import JOB, POD, SECRET, Obj
from tests.unit.workflow.world import Shop, config

if TYPE_CHECKING:
    from pathlib import Path

FILE = "components:\n  - {name: db, helm: {chart: chart}, timeout: 60s}\n"
NS = "shop-fix"


def hook(name: str = "migrate", kind: str = "Job") -> Obj:
    notes = {"helm.sh/hook": "pre-install"}
    return {"apiVersion": "batch/v1" if kind == "Job" else "v1", "kind": kind,
            "metadata": {"name": name, "annotations": notes}}  # fmt: skip


class Helm:
    """A helm that runs hooks; what it makes and how it ends is the test's."""

    def __init__(self, shop: Shop, error: EnvctlError | None) -> None:
        self.shop, self.error = shop, error
        self.jobs: list[Obj] = []
        self.lines: list[str] = []
        shop.helm.deploy = self.deploy  # type: ignore[method-assign]
        shop.cluster.follow = self.follow  # type: ignore[method-assign]

    def job(self, name: str, condition: str, uid: str = "") -> None:
        """A Job that ends with the condition, with a pod of its own."""
        meta = {"name": name, "namespace": NS, "annotations": {"helm.sh/hook": "pre-install"}}
        status = {"conditions": [{"type": condition, "status": "True",
                                  "reason": "BackoffLimitExceeded"}]}  # fmt: skip
        self.jobs.append({"metadata": meta, "status": status if condition else {}, "uid": uid})

    async def deploy(self, *_: Any) -> tuple[Obj, ...]:
        for job in self.jobs:
            going = self.shop.cluster.put(JOB, {"metadata": dict(job["metadata"])})
            owner = {"uid": going["metadata"]["uid"], "kind": "Job", "controller": True}
            name = f"{job['metadata']['name']}-1"
            self.shop.cluster.put(POD, {
                "metadata": {"name": name, "namespace": NS, "ownerReferences": [owner]},
                "spec": {"containers": [{"name": "run"}], "restartPolicy": "Never"},
                "status": {"phase": "Failed", "containerStatuses": [{"name": "run", "state": {
                    "terminated": {"exitCode": 3, "reason": "Error"}}}]},
            })  # fmt: skip
            await asyncio.sleep(1)
            self.shop.cluster.put(JOB, {"metadata": going["metadata"], "status": job["status"]})
            await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return ()

    async def follow(self, *_: Any, **__: Any) -> Any:
        for line in self.lines:
            yield line


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 1.0.0\n")
    found.write(FILE)
    found.helm.charts = {"db": []}
    found.helm.hooks = [hook()]
    return found


def failing(shop: Shop, error: EnvctlError | None = None) -> Helm:
    return Helm(shop, error or EnvctlError("helm upgrade failed.", why="job migrate failed"))


def culprits(shop: Shop) -> list[tuple[str, str]]:
    failure = shop.up()[0].failure
    return [(c.object, c.reason) for c in failure.culprits] if failure else []


def test_a_failed_hook_is_the_culprit_with_the_lines_it_wrote(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("migrate", "Failed")
    helm.lines = ["connecting", "ERROR: relation users does not exist"]
    result, error = shop.up()
    assert error is not None
    assert result.failure is not None
    (culprit,) = result.failure.culprits
    assert (culprit.object, culprit.component, culprit.container) == ("Job/migrate", "db", "run")
    assert culprit.reason == "HookFailed"
    assert culprit.message.startswith("its pre-install hook failed: ")
    assert "ERROR: relation users does not exist" in culprit.logs
    assert result.failure.next.startswith("Read the hook's log")


def test_the_error_stays_what_it_was(shop: Shop) -> None:
    helm = failing(shop, TimedOut("helm upgrade took too long."))
    helm.job("migrate", "Failed")
    error = shop.up()[1]
    assert isinstance(error, TimedOut)
    assert error.exit_code == 124


def test_a_hook_that_has_not_ended_when_helm_gave_up_is_named(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("migrate", "")
    assert culprits(shop) == [("Job/migrate", "HookFailed")]


def test_of_two_hooks_the_failed_one_is_named(shop: Shop) -> None:
    shop.helm.hooks = [hook("one"), hook("two")]
    helm = failing(shop)
    helm.job("one", "Complete")
    helm.job("two", "Failed")
    assert culprits(shop) == [("Job/two", "HookFailed")]


def test_a_hook_that_completed_is_not_blamed(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("migrate", "Complete")
    assert culprits(shop) == []


def test_a_job_that_is_no_hook_is_not_blamed(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("another", "Failed")
    assert culprits(shop) == []


def test_the_failed_job_of_an_earlier_run_is_not_blamed(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("migrate", "Failed")
    assert culprits(shop) == [("Job/migrate", "HookFailed")]
    failing(shop)  # this time it fails before any hook is made
    assert culprits(shop) == []


def test_a_failure_that_is_explained_already_is_not_explained_anew(shop: Shop) -> None:
    helm = failing(shop, EnvctlError("no.", failure=Failure("The chart is broken.", next="x")))
    helm.job("migrate", "Failed")
    failure = shop.up()[0].failure
    assert failure is not None
    assert failure.verdict == "The chart is broken."


def test_without_a_job_among_the_hooks_no_job_is_watched(shop: Shop) -> None:
    shop.helm.hooks = [hook(kind="ConfigMap")]
    failing(shop).job("migrate", "Failed")
    assert culprits(shop) == []
    assert ("watch", "Job/") not in shop.cluster.calls


def test_hooks_that_succeed_leave_no_trace(shop: Shop) -> None:
    helm = failing(shop)
    helm.error = None
    helm.job("migrate", "Complete")
    assert shop.up()[1] is None


def test_what_a_secret_holds_is_not_in_the_hooks_message(shop: Shop) -> None:
    helm = failing(shop)
    helm.job("migrate", "Failed")
    helm.lines = ["ERROR: login with hunter2-hunter2 refused"]
    secret = config("db", kind="Secret", namespace=NS)
    secret["data"] = {"password": "aHVudGVyMi1odW50ZXIy"}
    original = shop.helm.deploy

    async def deploy(*args: Any) -> tuple[Obj, ...]:
        shop.cluster.put(SECRET, secret)
        return await original(*args)

    shop.helm.deploy = deploy  # type: ignore[method-assign]
    failure = shop.up()[0].failure
    assert failure is not None
    assert "hunter2" not in str(failure)
    assert any("login with" in line for line in failure.culprits[0].logs)
