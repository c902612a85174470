from __future__ import annotations

import json
from dataclasses import replace

import pytest

from envctl.output import handover
from envctl.output.recorder import Recorder
from tests.unit.output.samples import up_result


def recorded(url: str = "https://mr-7.preview.example.org/") -> Recorder:
    recorder = Recorder()
    result = up_result()
    recorder.remember(replace(result, environment=replace(result.environment, url=url)))
    return recorder


def test_variables_for_later_jobs() -> None:
    lines = dict(line.split("=", 1) for line in handover.dotenv(recorded()).splitlines())
    assert lines["ENVCTL_URL"] == "https://mr-7.preview.example.org/"
    assert set(lines) == {"ENVCTL_URL", "ENVCTL_NAME", "ENVCTL_NAMESPACE"}
    assert handover.dotenv(Recorder()) == ""


@pytest.mark.parametrize(
    "url", ["https://a/\nENVCTL_PROFILE=", "javascript:alert(1)", "", "http://"]
)
def test_what_is_more_or_less_than_a_url_is_left_out(url: str) -> None:
    assert "ENVCTL_URL" not in handover.dotenv(recorded(url))
    assert "PROFILE" not in handover.dotenv(recorded(url))
    assert json.loads(handover.links(recorded(url), {})) == {"envctl": []}


def test_links_for_the_jobs_page() -> None:
    job = {"CI_PROJECT_URL": "https://gitlab.example.org/acme/shop",
           "CI_ENVIRONMENT_NAME": "preview/7"}  # fmt: skip
    links = json.loads(handover.links(recorded(), job))["envctl"]
    assert [link["external_link"]["url"] for link in links] == [
        "https://mr-7.preview.example.org/",
        "https://gitlab.example.org/acme/shop/-/environments?search=preview/7",
    ]
