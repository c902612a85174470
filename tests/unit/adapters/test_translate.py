"""What the API server and the network say, as errors that a person can act on."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envctl.adapters.kubernetes import connect, translate
from envctl.adapters.retrying import Transient, retrying
from envctl.errors import ConfigError, EnvctlError, Forbidden, Refused, Unavailable
from envctl.model.step import RetryPolicy
from envctl.ports import attempt
from envctl.ports.cluster import (
    AlreadyExists,
    Conflict,
    FieldConflict,
    Invalid,
    NotFound,
    QuotaExceeded,
    Terminating,
    WebhookDown,
)
from tests.unit.virtual import virtually


def error(code: int, message: str = "", reason: str = "", **more: Any) -> EnvctlError:
    headers = more.pop("headers", {})
    body = json.dumps({"kind": "Status", "message": message, "reason": reason, **more}).encode()
    return translate.error_for(code, body, headers, "read Pod/x", "preview")


def test_a_missing_permission_names_verb_resource_and_the_rule_to_add() -> None:
    found = error(
        403,
        'deployments.apps "web" is forbidden: User "system:serviceaccount:ci:runner" cannot patch '
        'resource "deployments" in API group "apps" in the namespace "shop-fix"',
    )
    assert isinstance(found, Forbidden)
    assert found.exit_code == 77
    assert "'system:serviceaccount:ci:runner' may not patch deployments" in found.why
    assert "in the namespace 'shop-fix'" in found.why
    assert '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"]}' in found.next
    assert "its Role:" in found.next


def test_a_missing_permission_in_the_cluster_wants_a_cluster_role() -> None:
    found = error(
        403, 'namespaces is forbidden: User "ann" cannot list resource "namespaces" in API group '
        '"" at the cluster scope',
    )  # fmt: skip
    assert "its ClusterRole:" in found.next
    assert 'apiGroups: [""]' in found.next


def test_a_namespace_that_is_going_is_no_missing_permission() -> None:
    """403 with the cause NamespaceTerminating, as the NamespaceLifecycle admission answers."""
    cause = {"reason": "NamespaceTerminating", "field": "metadata.namespace"}
    found = error(
        403, 'leases "x" is forbidden: unable to create new content in namespace envctl-system '
        "because it is being terminated", "Forbidden", details={"causes": [cause]},
    )  # fmt: skip
    assert isinstance(found, Terminating)
    assert found.exit_code == 75, "trying again helps"


@pytest.mark.parametrize("code", [403, 422])
def test_a_limit_of_the_administrators_is_told_in_its_own_words(code: int) -> None:
    """The code is the policy's own; 422 where it gives no reason."""
    found = error(
        code, "namespaces \"x\" is forbidden: ValidatingAdmissionPolicy 'envctl-scope' with "
        "binding 'envctl-scope' denied request: this account may write only in environments",
    )  # fmt: skip
    assert isinstance(found, Refused)
    assert found.why == "this account may write only in environments."
    assert "(ValidatingAdmissionPolicy envctl-scope)" in found.next


@pytest.mark.parametrize(
    ("code", "message", "reason", "kind", "exit_code", "hint"),
    [
        (401, "Unauthorized", "", Refused, 77, "expired"),
        (403, 'pods "x" is forbidden: exceeded quota: envctl, requested: pods=1', "", QuotaExceeded,
         77, "environment.quota"),
        (403, "admission webhook denied the request: no", "", Refused, 77, "admission"),
        (404, "pods x not found", "NotFound", NotFound, 1, "Check the name"),
        (409, "exists", "AlreadyExists", AlreadyExists, 1, "another name"),
        (409, "the object has been modified", "Conflict", Conflict, 75, "again"),
        (410, "too old resource version", "Expired", translate.Expired, 1, ""),
        (422, "spec.replicas: Invalid value", "Invalid", Invalid, 1, "Correct the object"),
        (400, "bad", "BadRequest", Invalid, 1, "Correct the object"),
        (429, "slow down", "", Transient, 75, "Try again"),
        (500, "etcdserver: leader changed", "", Transient, 75, "Try again"),
        (503, "", "", Transient, 75, "Try again"),
    ],
)  # fmt: skip
def test_answers(
    code: int, message: str, reason: str, kind: type, exit_code: int, hint: str
) -> None:
    found = error(code, message, reason)
    assert type(found) is kind
    assert found.exit_code == exit_code
    assert hint in str(found)
    assert message in found.why or code == 401


def test_a_conflict_names_the_other_managers() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "field": ".spec.replicas",
         "message": 'conflict with "kubectl-edit" using apps/v1'},
        {"reason": "Other", "message": "x"},
    ]  # fmt: skip
    found = error(409, "Apply failed with 1 conflict", "Conflict", details={"causes": causes})
    assert isinstance(found, Conflict)
    assert found.managers == (FieldConflict("kubectl-edit", ".spec.replicas"),)


@pytest.mark.parametrize(("header", "after"), [("7", 7.0), ("soon", 0.0), ("", 0.0)])
def test_retry_after_is_heard(header: str, after: float) -> None:
    found = error(429, "slow", headers={"Retry-After": header})
    assert isinstance(found, Transient)
    assert found.after == after


@pytest.mark.parametrize(
    ("reason", "message", "repeatable", "kind"),
    [
        ("Conflict", "the object has been modified; please", True, Transient),
        ("Conflict", "the object has been modified; please", False, Conflict),
        ("Conflict", "Precondition failed: UID in precondition: a", True, Conflict),
        ("AlreadyExists", "exists", True, AlreadyExists),
    ],
)
def test_a_conflict_that_the_request_is_not_to_blame_for_passes(
    reason: str, message: str, repeatable: bool, kind: type[EnvctlError]
) -> None:
    body = json.dumps({"message": message, "reason": reason}).encode()
    found = translate.error_for(409, body, {}, "apply", "preview", repeatable=repeatable)
    assert type(found) is kind


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 429, 500, 502])
@given(body=st.binary(max_size=60) | st.sampled_from([b"[1]", b"null", b'"x"', b"{}"]))
def test_whatever_a_proxy_answers_it_is_an_error_in_words(code: int, body: bytes) -> None:
    found = translate.error_for(code, body, {}, "read Pod/x", "preview")
    assert found.what
    assert found.exit_code in (1, 75, 77)


def test_an_html_page_of_a_proxy_is_no_verdict_about_the_object() -> None:
    page = b"<html><body>" + b"Bad gateway " * 500
    found = translate.error_for(502, page, {}, "read Pod/x", "preview")
    assert isinstance(found, Transient)
    assert len(str(found)) < 600


@pytest.mark.parametrize(
    ("raised", "kind", "hint"),
    [
        (TimeoutError(), Transient, "silent"),
        (ConnectionRefusedError("refused"), Transient, "envctl local start"),
        (aiohttp.ServerDisconnectedError(), Transient, "does not answer"),
        (ssl.SSLError("bad certificate"), Unavailable, "never skips verification"),
    ],
)
def test_no_answer(raised: BaseException, kind: type, hint: str) -> None:
    found = translate.error_of_connection(raised, "https://h", "preview")
    assert type(found) is kind
    assert hint in str(found)
    assert found.exit_code == 75


# Retrying

POLICY = RetryPolicy("api", attempts=5, first=0.1, cap=2.0)


def attempts_of(make: Any, policy: RetryPolicy = POLICY, within: float | None = None) -> Any:
    tries: list[float] = []
    told: list[tuple[int, str, str, float]] = []

    async def call() -> str:
        tries.append(asyncio.get_running_loop().time())
        raise make(len(tries))

    async def go() -> BaseException:
        with attempt.within(within or 1e6, lambda *a: told.append(a)):
            try:
                await retrying(policy, call)
            except EnvctlError as raised:
                return raised
        raise AssertionError

    raised = virtually(go())
    return tries, told, raised


def test_what_is_transient_is_tried_again_and_told() -> None:
    tries, told, raised = attempts_of(lambda n: Transient(f"try {n}"))
    assert len(tries) == 5
    assert str(raised) == "try 5"
    assert [(t[0], t[1], t[2]) for t in told] == [(n, "api", f"try {n}") for n in range(1, 5)]
    assert all(0.1 <= t[3] <= 2.0 for t in told)


@pytest.mark.parametrize("kind", [Refused, Unavailable, Conflict, Invalid])
def test_nothing_else_is_tried_again(kind: type[EnvctlError]) -> None:
    tries, told, _ = attempts_of(lambda _: kind("no"))
    assert (len(tries), told) == (1, [])


def test_the_server_may_ask_for_more_patience() -> None:
    tries, _, _ = attempts_of(lambda _: Transient("slow", after=5.0))
    assert tries[1] - tries[0] >= 5


def test_nobody_waits_for_ever_because_a_server_asks() -> None:
    tries, _, _ = attempts_of(lambda _: Transient("slow", after=86_400.0))
    assert tries[-1] < 600


def test_no_attempt_begins_that_the_step_has_no_time_for() -> None:
    tries, _, raised = attempts_of(lambda _: Transient("slow", after=50.0), within=20)
    assert len(tries) == 1
    assert isinstance(raised, Transient)


# Which cluster


def kubeconfig(path: Any, *contexts: str, current: str = "") -> Any:
    path.write_text(
        json.dumps(
            {"contexts": [{"name": c, "context": {}} for c in contexts], "current-context": current}
        )
    )
    return path


def test_the_current_context_of_the_first_file_counts(tmp_path: Any) -> None:
    one = kubeconfig(tmp_path / "one", "a", "b", current="b")
    two = kubeconfig(tmp_path / "two", "c", current="c")
    env = {"KUBECONFIG": f"{one}:{two}:{tmp_path / 'missing'}"}
    assert connect.choose("", env, ()).context == "b"
    assert connect.choose("c", env, ()).context == "c"


def test_a_context_that_does_not_exist_lists_those_that_do(tmp_path: Any) -> None:
    env = {"KUBECONFIG": str(kubeconfig(tmp_path / "one", "b", "a"))}
    with pytest.raises(ConfigError, match="'prod' does not exist") as caught:
        connect.choose("prod", env, ())
    assert "knows a, b" in str(caught.value)
    assert caught.value.exit_code == 2


def test_without_any_kubeconfig_the_embedded_cluster_is_offered(tmp_path: Any) -> None:
    env = {"HOME": str(tmp_path)}
    with pytest.raises(ConfigError, match="envctl local start"):
        connect.choose("", env, ())
    own = kubeconfig(tmp_path / "own", "envctl-local", current="envctl-local")
    assert connect.choose("", env, (own,)).context == "envctl-local"


def test_a_running_embedded_cluster_does_not_hide_the_users_own(tmp_path: Any) -> None:
    env = {"KUBECONFIG": str(kubeconfig(tmp_path / "one", "mine", current="mine"))}
    own = kubeconfig(tmp_path / "own", "envctl-local", current="envctl-local")
    assert connect.choose("", env, (own,)).context == "mine"


@pytest.mark.parametrize(
    "text", ["[", "- a", "5", "a: b: c", "contexts: 5", "contexts: [5]", "contexts: [{name: [1]}]",
             "contexts: [{name: a, context: 5}]", "current-context: [1]", "\x00"]
)  # fmt: skip
def test_a_kubeconfig_that_is_none(tmp_path: Any, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(ConfigError):
        connect.choose("wanted", {"KUBECONFIG": str(file)}, ())


def test_a_kubeconfig_that_is_nested_without_end(tmp_path: Any) -> None:
    file = tmp_path / "config"
    file.write_text("[" * 60_000)
    with pytest.raises(ConfigError, match="nested too deep"):
        connect.choose("wanted", {"KUBECONFIG": str(file)}, ())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Wed, 25 Nov 2026 06:00:00 GMT", datetime(2026, 11, 25, 6, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 08:00:00 +0200", datetime(2026, 11, 25, 6, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("Wed, 25 Nov 2026 06:00:00 -0000", None),
    ],
)
def test_the_time_of_an_answer(header: str, expected: datetime | None) -> None:
    found = translate.date_of({"Date": header}, 7.0)
    assert found == (None if expected is None else (expected, 7.0))


WEBHOOK = 'admission webhook "images.example.org" denied the request: only from our registry'


@pytest.mark.parametrize("code", [400, 403])
def test_what_a_webhook_refuses_is_told_in_its_own_words(code: int) -> None:
    """The code is the webhook's own; 400 where it gives none."""
    found = error(code, WEBHOOK)
    assert isinstance(found, Refused)
    assert found.exit_code == 77
    assert (
        found.why == "The admission webhook images.example.org refuses it: only from our registry."
    )
    assert "whoever set it up knows the rule" in found.next


def test_a_webhook_that_cannot_be_called_is_tried_again_and_named() -> None:
    found = error(
        500, 'Internal error occurred: failed calling webhook "images.example.org": failed to call '
        'webhook: Post "https://nobody.kube-system.svc:443/?timeout=2s": service "nobody" not found'
    )  # fmt: skip
    assert isinstance(found, Transient)
    assert isinstance(found, WebhookDown)
    assert 'service "nobody" not found' in found.why
    assert found.next.startswith("Start what serves the webhook")


def test_a_field_that_cannot_be_changed_is_known_as_such() -> None:
    cause = {"reason": "FieldValueInvalid", "field": "spec.selector",
             "message": 'Invalid value: {"matchLabels":{"a":"b"}}: field is immutable'}  # fmt: skip
    found = error(422, "Deployment.apps is invalid", "Invalid", details={"causes": [cause]})
    assert isinstance(found, Invalid)
    assert found.fixed == (("spec.selector", "field is immutable"),)
