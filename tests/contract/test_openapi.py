"""The contract server is what GitLab publishes: its routes, parameters and fields."""

from __future__ import annotations

import pytest

from tests.contract import openapi
from tests.contract.gitlab_routes import ROUTES
from tests.contract.gitlab_state import Environment

#: What the description that we hold it against leaves out.
UNDESCRIBED = {
    "/personal_access_tokens/self",
    "/projects/{id}",
    "/projects/{id}/merge_requests/{merge_request_iid}/notes",
    "/projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}",
}
pytestmark = pytest.mark.skipif(
    openapi.path() is None, reason="GitLab's API description is not beside this repository"
)
ENVIRONMENTS = "/projects/{id}/environments"


def test_every_route_is_one_of_gitlabs() -> None:
    found = {route for method, route, _, _ in ROUTES if not openapi.described(method, route)}
    assert found == UNDESCRIBED


def test_what_gitlab_does_not_have_is_seen() -> None:
    good = Environment(1, "review/x").as_json()
    assert openapi.violations("GET", ENVIRONMENTS, {"name": "x"}, None, 200, [good]) == []
    cases = [
        ("GET", ENVIRONMENTS, {"nme": "x"}, None, [good], "no query parameter 'nme'"),
        ("GET", ENVIRONMENTS, {}, None, [{**good, "closed": True}], "no field 'closed'"),
        ("GET", ENVIRONMENTS, {}, None, [{**good, "id": "1"}], "is str, not integer"),
        ("GET", ENVIRONMENTS, {}, None, {}, "is dict, not array"),
        ("POST", ENVIRONMENTS, {}, {"external_url": "x"}, good, "body lacks 'name'"),
        ("POST", ENVIRONMENTS, {}, {"name": "x", "force": True}, good, "no field 'force'"),
    ]
    for method, route, query, body, answer, said in cases:
        [only] = openapi.violations(method, route, query, body, 200, answer)
        assert said in only
