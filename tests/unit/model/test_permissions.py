from __future__ import annotations

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from envctl.model.finding import Verdict
from envctl.model.permissions import Permission, Scope, findings, needed


def test_nothing_missing_is_one_finding() -> None:
    (found,) = findings([], 154, "ci")
    assert found.result is Verdict.OK
    assert "154" in found.detail


def test_resources_with_the_same_verbs_share_a_rule() -> None:
    denied = [p for p in needed() if p.resource in {"deployments", "statefulsets"}]
    (found,) = findings(denied, 10, "ci")
    assert found.result is Verdict.FAIL
    assert '{apiGroups: ["apps"], resources: ["deployments", "statefulsets"], verbs: ["get"' in (
        found.next
    )
    assert found.detail.startswith("ci may not get, list")


def test_what_only_some_need_is_a_warning_that_says_who() -> None:
    denied = [p for p in needed() if p.resource == "serviceaccounts/token"]
    (found,) = findings(denied, 10, "")
    assert found.result is Verdict.WARN
    assert "`kubeconfig`" in found.detail


@given(st.sets(st.sampled_from(needed())))
def test_the_rules_grant_exactly_what_is_missing(denied: set[Permission]) -> None:
    granted = set()
    for found in findings(sorted(denied), 10, "ci"):
        if found.result is Verdict.OK:
            continue
        rule = yaml.safe_load(found.next[found.next.index("{") :])
        granted |= {
            (group, resource, verb)
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
    assert granted == {(p.group, p.resource, p.verb) for p in denied}


def test_a_review_asks_in_the_right_place() -> None:
    places = {
        p.scope: p.review("shop-a")["spec"]["resourceAttributes"].get("namespace", "")
        for p in needed()
    }
    assert places == {
        Scope.CLUSTER: "", Scope.ENVIRONMENT: "shop-a", Scope.SYSTEM: "envctl-system",
    }  # fmt: skip
    log = Permission(Scope.ENVIRONMENT, "", "pods/log", "get").review("shop-a")
    asked = log["spec"]["resourceAttributes"]
    assert (asked["resource"], asked["subresource"]) == ("pods", "log")
    assert json.dumps(log)
