"""Why a Job has failed, in words."""

from __future__ import annotations

from typing import Any

import pytest

from envctl.model.jobs import end_of


def job(*conditions: tuple[str, str, str]) -> dict[str, Any]:
    found = [{"type": t, "status": s, "reason": r, "message": "in full"} for t, s, r in conditions]
    return {"kind": "Job", "status": {"conditions": found}}


@pytest.mark.parametrize(
    ("found", "words", "advice"),
    [
        (job(("Failed", "True", "DeadlineExceeded")), "activeDeadlineSeconds", True),
        (job(("FailureTarget", "True", "DeadlineExceeded")), "activeDeadlineSeconds", True),
        (job(("Failed", "True", "BackoffLimitExceeded")), "backoff limit", False),
        (job(("Failed", "True", "SomethingNew")), "in full", False),
    ],
)
def test_words(found: dict[str, Any], words: str, advice: bool) -> None:
    end = end_of(found)
    assert end
    assert words in end.message
    assert bool(end.next) is advice


def test_no_end() -> None:
    assert end_of(job()) is None
    assert end_of(job(("Failed", "False", "DeadlineExceeded"))) is None
    assert end_of({"kind": "Deployment"}) is None
