"""A table of Services: which lead somewhere, which need not, and which never will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envctl.model import endpoints
from envctl.model.endpoints import Fit, fit, maker, obstacle_of
from envctl.model.obstacle import FINAL, OPERATOR

if TYPE_CHECKING:
    from envctl.model.objects import Obj

WEB = {"app": "web"}


def workload(
    name: str = "web",
    labels: dict[str, str] | None = None,
    kind: str = "Deployment",
    ports: Any = ({"name": "http", "containerPort": 80},),
    **spec: Any,
) -> Obj:
    template = {"metadata": {"labels": {"app": name} if labels is None else labels},
                "spec": {"containers": [{"name": "c", "ports": list(ports)}]}}  # fmt: skip
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"template": template, **spec}}  # fmt: skip


def service(selector: Any = None, ports: Any = ({"port": 80},), **spec: Any) -> Obj:
    wanted = WEB if selector is None else selector
    return {"kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": wanted, "ports": list(ports), **spec}}  # fmt: skip


def pod(labels: dict[str, str] | None = None, phase: str = "Running", **meta: Any) -> Obj:
    return {"metadata": {"name": "web-1", "labels": labels or WEB, **meta},
            "spec": workload()["spec"]["template"]["spec"], "status": {"phase": phase}}  # fmt: skip


def part(*, ready: Any = True, ports: Any = ({"name": "", "port": 80},)) -> Obj:
    return {"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}],
            "ports": list(ports)}  # fmt: skip


ROLES = {"app": "web", "example.org/role": "leader"}
TIER = {"app": "web", "tier": "front"}
NAMED = ({"port": 80, "targetPort": "http"},)
WRONG = ({"port": 80, "targetPort": "htpp"},)
BOTH = (*NAMED, {"name": "metrics", "port": 9090, "targetPort": "metrics"})

#: name, Service, workloads, pods, slices: the reason and the patience, or None where it is fine.
TABLE: list[tuple[str, Obj, list[Obj], list[Obj], list[Obj], tuple[str, float | None] | None]] = [
    ("ready", service(), [workload()], [pod()], [part()], None),
    ("ready by default", service(), [workload()], [pod()], [part(ready=None)], None),
    ("not ready", service(), [workload()], [pod()], [part(ready=False)], ("NoEndpoints", None)),
    ("end points lag", service(), [workload()], [pod()], [], ("NoEndpoints", None)),
    ("no pod yet", service(), [workload()], [], [], ("NoEndpoints", None)),
    ("selects nothing", service({"app": "wbe"}), [workload()], [pod()], [],
     ("SelectsNothing", FINAL)),
    ("nothing to select", service(), [], [], [], ("SelectsNothing", FINAL)),
    ("a label too many", service(TIER), [workload()], [pod()], [], ("SelectsNothing", OPERATOR)),
    ("a label that comes later", service(ROLES), [workload()], [pod()], [], None),
    ("a pod of nobody", service({"app": "x"}), [], [pod({"app": "x"})], [], ("NoEndpoints", None)),
    ("a pod that ended", service(), [workload(kind="Job")], [pod(phase="Succeeded")], [], None),
    ("a CronJob's", service(), [workload(kind="Job")], [], [], None),
    ("scaled to nothing", service(), [workload(replicas=0)], [], [], None),
    ("no node for it", service(), [workload(kind="DaemonSet")], [], [], None),
    ("without a selector", service({}), [], [], [], None),
    ("somewhere else", service(type="ExternalName"), [], [], [], None),
    ("headless without ports", service(clusterIP="None", ports=()), [workload()], [pod()],
     [part(ports=())], None),
    ("by name", service(ports=NAMED), [workload()], [pod()], [part()], None),
    ("by a name that is not there", service(ports=WRONG), [workload()], [pod()], [part(ports=())],
     ("NoSuchPort", FINAL)),
    ("before there is a pod", service(ports=WRONG), [workload()], [], [], ("NoSuchPort", FINAL)),
    ("one port of two", service(ports=BOTH), [workload()], [pod()], [part()], None),
    ("one port of two, not ready", service(ports=BOTH), [workload()], [pod()], [],
     ("NoEndpoints", None)),
    ("its pod is going", service(), [workload(replicas=0)], [pod(deletionTimestamp="now")], [],
     None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("svc", "workloads", "pods", "slices", "wanted"),
    [row[1:] for row in TABLE], ids=[row[0] for row in TABLE],
)  # fmt: skip
def test_a_service(
    svc: Obj, workloads: list[Obj], pods: list[Obj], slices: list[Obj],
    wanted: tuple[str, float | None] | None,
) -> None:  # fmt: skip
    makers = [found for obj in workloads if (found := maker(obj))]
    found = obstacle_of(svc, makers, pods, slices)
    assert (found and (found.reason, found.patience)) == wanted
    if found and found.patience is not None:
        assert found.message
        assert found.next


def test_what_an_operator_may_make_is_waited_for() -> None:
    found = obstacle_of(service(), [], [], [], operators=True)
    assert found is not None
    assert found.patience == OPERATOR


def test_the_words_show_both_sides() -> None:
    found = obstacle_of(service({"app": "wbe"}), [m for m in [maker(workload())] if m], [], [])
    assert found is not None
    assert "(app=wbe) selects no pod" in found.message
    assert "Deployment/web has app=web" in found.message
    port = obstacle_of(service(ports=WRONG), [m for m in [maker(workload())] if m], [], [])
    assert port is not None
    assert "80 leads to 'htpp', and its pods have only 'http'" in port.message


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [({"app": "web"}, Fit.MAYBE), ({"app": "web", "tier": "front"}, Fit.YES), ({}, Fit.NO),
     ({"app": "api", "tier": "front"}, Fit.NO), ({"tier": "front", "x": "y"}, Fit.MAYBE)],
)  # fmt: skip
def test_fit(labels: dict[str, str], wanted: Fit) -> None:
    assert fit(TIER, labels) is wanted


def test_a_cron_jobs_pods() -> None:
    inner = workload(kind="Job")["spec"]
    cron = {"kind": "CronJob", "metadata": {"name": "c"}, "spec": {"jobTemplate": {"spec": inner}}}
    found = maker(cron)
    assert found is not None
    assert (found.labels, found.lasting) == (WEB, False)
    assert maker({"kind": "ConfigMap", "metadata": {"name": "c"}}) is None


def test_unserved_ports() -> None:
    specs = [workload()["spec"]["template"]["spec"]]
    assert [p["name"] for p in endpoints.unserved(service(ports=BOTH), specs)] == ["metrics"]
