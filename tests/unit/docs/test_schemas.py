"""The published JSON schemas are schemas, and describe what the code really prints."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from envctl.errors import TimedOut
from envctl.model.environment import EnvironmentInfo, Phase
from envctl.model.failure import Culprit, Failure
from envctl.model.finding import fail, ok
from envctl.model.found import Findings, InitResult, Part, Pipeline, Skipped
from envctl.model.gates import Verdict
from envctl.model.gcresult import Entry, GcResult, Outcome
from envctl.model.local import LocalState, LocalStatus
from envctl.model.logs import Stream
from envctl.model.plan import FieldChange, ObjectChange, PlanResult
from envctl.model.record import Checked
from envctl.model.result import (
    CheckResult,
    ComponentResult,
    DownResult,
    LifetimeResult,
    StuckObject,
    UpResult,
)
from envctl.model.status import (
    ComponentStatus,
    LockHolder,
    ObjectStatus,
    QuotaUse,
    StatusResult,
)
from envctl.output.context import RunContext
from envctl.output.document import error_document
from envctl.output.options import Mode
from envctl.output.podlogs import open_logs
from envctl.workflow.cluster_init import Changed
from envctl.workflow.validate import Problem, ValidateResult
from tests.documents import SCHEMAS, check_document

ENVIRONMENT = EnvironmentInfo(
    project="shop",
    name="demo",
    namespace="shop-demo",
    phase=Phase.READY,
    url="http://demo.localhost:8080/",
    created_at="2026-01-02T03:04:05Z",
)
FAILURE = Failure(
    verdict="web cannot start.",
    culprits=(
        Culprit(
            "Deployment/web", "web", "ImagePullBackOff", "no such image", "web", ("a",), ("b",)
        ),
    ),
    next="Build the image.",
    dependants=1,
)


def _up(failure: Failure | None) -> UpResult:
    return UpResult(
        environment=ENVIRONMENT,
        result="failed" if failure else "succeeded",
        components=(ComponentResult("web", "manifests", "succeeded", changed=True, seconds=1.5),),
        checks=(
            CheckResult("smoke", "passed", 0.5, (("latency", 0.25),)),
            CheckResult(
                "quality",
                "passed",
                0.5,
                (("f1", 0.5),),
                (Verdict("f1 > 0", "f1", "passed", "f1 is 0.5", 0.5, 0.0),),
                (("f1", (0.4, 0.6)),),
            ),
        ),
        failure=failure,
        api_requests=12,
        seconds=2.25,
    )


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: str(path.name))
def test_each_is_a_schema_of_its_own_name(path: Any) -> None:
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{path.name}")
    assert schema.get("title") or path.stem == "envctl"


@pytest.mark.parametrize("failure", [None, FAILURE])
def test_up(failure: Failure | None) -> None:
    check_document("up", _up(failure).as_json())


@pytest.mark.parametrize("result", ["gone", "stuck", "unknown", "absent"])
def test_down(result: str) -> None:
    stuck = StuckObject("Pod/web", ("example.org/hold",), "example", "Remove it.")
    check_document("down", DownResult(ENVIRONMENT, result, ("Pod/web",), (stuck,), 1.0).as_json())


@pytest.mark.parametrize("word", ["deleted", "kept", "stuck", "unknown"])
def test_gc(word: str) -> None:
    entry = Entry("shop", "demo", "shop-demo", "it is expired")
    held = (StuckObject("Pod/web", ("example.org/hold",), "example", "Remove it."),)
    outcome = Outcome(entry, word, held if word == "stuck" else ())
    result = GcResult((outcome,), (entry,), "", dry_run=True, seen=1, limit=5, warned=0, seconds=1)
    check_document("gc", result.as_json())


@pytest.mark.parametrize("kept_by", ["", "ann"])
def test_lifetime(kept_by: str) -> None:
    kept = replace(ENVIRONMENT, kept_by=kept_by, kept_until="2026-12-01T00:00:00Z")
    check_document("lifetime", LifetimeResult(kept, "extended").as_json())


def test_list() -> None:
    check_document("list", {"environments": [ENVIRONMENT.as_json()]})


@pytest.mark.parametrize("failure", [None, FAILURE])
def test_error(failure: Failure | None) -> None:
    error = TimedOut("It took too long.", why="web was not ready.", next="Wait.", failure=failure)
    check_document("error", error_document(error))


def test_plan() -> None:
    change = ObjectChange(
        "web", "Deployment/web", "update", (FieldChange("spec.a", None, {"b": 1}),)
    )
    check_document("plan", PlanResult(ENVIRONMENT.as_json(), ("web",), (change,), ("x",)).as_json())


@pytest.mark.parametrize("lock", [None, LockHolder("run", "", "2026-01-02T03:04:05Z", "")])
def test_status(lock: LockHolder | None) -> None:
    component = ComponentStatus("web", "job", "waiting", (ObjectStatus("Job/web", ready=False),))
    quota = QuotaUse("pods", "1", "10")
    checks = (("smoke", Checked("sha", passed=True, seconds=1.0)),)
    status = StatusResult(ENVIRONMENT, ("http://x/",), (component,), checks, (quota,), (), lock)
    check_document("status", status.as_json())


def test_validate() -> None:
    result = ValidateResult({"web": 2}, (Problem("web", "Deployment/web", "no image"),))
    check_document("validate", result.as_json())


@pytest.mark.parametrize("state", list(LocalState))
def test_local_status(state: LocalState) -> None:
    check_document("local-status", LocalStatus("test", state, "envctl-local-test").as_json())


def test_a_field_that_is_not_documented_is_found() -> None:
    with pytest.raises(AssertionError, match="surprise"):
        check_document("list", {"environments": [], "surprise": 1})


def test_a_field_that_is_missing_is_found() -> None:
    document = ENVIRONMENT.as_json()
    del document["owner"]
    with pytest.raises(AssertionError, match="owner"):
        check_document("list", {"environments": [document]})


def test_doctor() -> None:
    found = (ok("cluster", "it answers"), fail("permissions", "it may not", "Add a rule."))
    check_document("doctor", {"checks": [finding.as_json() for finding in found]})


@pytest.mark.parametrize("system", ["gitlab", "gitea", "none"])
def test_init(system: str) -> None:
    part = Part("web", "helm", "charts/web", "a Helm chart", needs=("db",))
    found = Findings("shop", (part,), (part,), (Skipped("x.yaml", "it is"),), ("a note",))
    pipeline = Pipeline(system, ".gitlab-ci.yml", "include: []\n", add=True)
    check_document("init", InitResult("envctl.yaml", found, pipeline, ("envctl.yaml",)).as_json())
    check_document("init", InitResult("envctl.yaml", Findings(""), exists=True).as_json())


def test_cluster_init() -> None:
    changes = [Changed("Role/x", result) for result in ("created", "unchanged", "deleted")]
    check_document("cluster-init", {"objects": [change.as_json() for change in changes]})


def test_logs() -> None:
    stdout = io.StringIO()
    with open_logs(Mode.JSON, RunContext(), stdout, {}) as show:
        show(Stream("api", "api-1", "main").said("hello", "2026-01-02T03:04:05.6Z", 1.0))
        show(Stream("", "pod", "main").said("unable to retrieve container logs", "", 1.0))
    check_document("logs", json.loads(stdout.getvalue()))
