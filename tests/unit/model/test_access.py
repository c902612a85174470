from __future__ import annotations

import pytest

from envctl.model import access, permissions
from envctl.model.access import AccessRole


@pytest.mark.parametrize("role", list(AccessRole))
def test_no_role_reaches_secrets_guardrails_or_rights(role: AccessRole) -> None:
    for rule in access.rules(role):
        assert "*" not in (*rule["verbs"], *rule["resources"], *rule["apiGroups"])
        assert not {"secrets", "roles", "rolebindings", "serviceaccounts/token"} & set(
            rule["resources"]
        )
        if {"resourcequotas", "limitranges", "networkpolicies", "serviceaccounts"} & set(
            rule["resources"]
        ):
            assert set(rule["verbs"]) == {"get", "list", "watch"}


def test_view_only_reads() -> None:
    verbs = {verb for rule in access.rules(AccessRole.VIEW) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    resources = {r for rule in access.rules(AccessRole.VIEW) for r in rule["resources"]}
    assert not resources & {"pods/exec", "pods/portforward", "pods/attach"}


def test_edit_is_view_and_more() -> None:
    view, edit = access.rules(AccessRole.VIEW), access.rules(AccessRole.EDIT)
    assert edit[: len(view)] == view
    assert len(edit) > len(view)


def test_each_role_has_an_account_of_its_own() -> None:
    names = {
        obj["metadata"]["name"] for role in AccessRole for _, obj in access.objects(role, "shop-a")
    }
    assert names == {"envctl-access-view", "envctl-access-edit"}


def test_what_was_changed_by_hand_is_not_the_same() -> None:
    _, (_, role), (_, binding) = access.objects(AccessRole.VIEW, "shop-a")
    assert access.same(role, {**role, "metadata": {"uid": "1"}})
    assert not access.same(role, {**role, "rules": role["rules"][1:]})
    assert not access.same(binding, {**binding, "subjects": []})


def test_whoever_passes_doctor_can_grant_every_rule() -> None:
    """Kubernetes refuses to grant what the one who grants may not do."""
    held = {(p.group, p.resource, p.verb) for p in permissions.needed()}
    granted = {
        (group, resource, verb)
        for rule in access.rules(AccessRole.EDIT)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted - held == set()
