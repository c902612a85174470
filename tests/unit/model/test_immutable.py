"""The server's own sentences about fields that stay as they are (1.37)."""

from __future__ import annotations

import pytest

from envctl.model import immutable

FIXED = [
    ("spec.selector", 'Invalid value: {"matchLabels":{"app":"web"}}: field is immutable',
     "field is immutable"),
    ("spec.template", "Invalid value: {...}: field is immutable", "field is immutable"),
    ("spec.clusterIPs[0]", 'Invalid value: ["None"]: may not change once set',
     "may not change once set"),
    ("spec", ("Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' "
     "are forbidden"), ("updates to statefulset spec for fields other than 'replicas', 'ordinals' "
     "are forbidden")),
    ("spec", "Forbidden: spec is immutable after creation except resources.requests",
     "spec is immutable after creation except resources.requests"),
    ("spec", "Forbidden: pod updates may not change fields other than `spec.tolerations`",
     "pod updates may not change fields other than `spec.tolerations`"),
    ("roleRef", 'Invalid value: {"kind":"Role"}: cannot change roleRef', "cannot change roleRef"),
    ("data", "Forbidden: field is immutable when `immutable` is set",
     "field is immutable when `immutable` is set"),
    ("parameters", "Forbidden: updates to parameters are forbidden.",
     "updates to parameters are forbidden."),
]  # fmt: skip


@pytest.mark.parametrize(("field", "message", "why"), FIXED)
def test_a_field_that_stays_as_it_is(field: str, message: str, why: str) -> None:
    assert immutable.fixed([{"field": field, "message": message}]) == ((field, why),)


@pytest.mark.parametrize(
    "message", ["Required value", "Invalid value: -1: must be greater than or equal to 0", ""]
)
def test_any_other_mistake(message: str) -> None:
    assert immutable.fixed([{"field": "spec.replicas", "message": message}]) == ()


def test_each_field_is_named_once() -> None:
    twice = {"field": "spec", "message": "Forbidden: field is immutable"}
    assert len(immutable.fixed([twice, twice])) == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("Deployment", ("or delete it, and the next run makes it anew: `kubectl delete deployment "
         "web -n shop-it`")),
        ("StatefulSet", "its claims and what they hold stay"),
        ("PersistentVolumeClaim", "to give up what it holds, delete it"),
    ],
)  # fmt: skip
def test_what_to_do(kind: str, words: str) -> None:
    assert words in immutable.advice(kind, "web", "shop-it")
    assert "-n" not in immutable.advice(kind, "web", "")
