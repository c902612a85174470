"""What Helm says when it fails, and what to do about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from envctl.adapters.sources.helm_command import Helm
from envctl.errors import ConfigError, EnvctlError
from envctl.ports import attempt

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """\
Error: values don't meet the specifications of the schema(s) in the following chart(s):
app:
- at '/replicas': got string, want integer
"""
TEMPLATE = """\
Error: app/templates/web.yaml:14:82
  executing "app/templates/web.yaml" at <.Values.image.pull>:
    can't evaluate field pull in type interface {}
"""
SELECTOR = """\
Error: UPGRADE FAILED: cannot patch "web" with kind Deployment: Deployment.apps "web" is invalid: \
spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable
"""
OTHER = """\
Error: UPGRADE FAILED: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be \
greater than or equal to 0
"""


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm that fails with what stands in the file."""
    program = tmp_path / "helm"
    program.write_text(f'#!/bin/sh\ncat "{tmp_path}/says" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("ENVCTL_HELM", str(program))
    return tmp_path / "says"


@pytest.mark.parametrize(
    ("verb", "says", "kind", "why", "advice"),
    [
        ("template", SCHEMA, ConfigError, "'/replicas': got string, want integer",
         "Correct the values of 'app' in envctl.yaml"),
        ("template", TEMPLATE, ConfigError, "can't evaluate field pull", "Correct the template"),
        ("upgrade", SELECTOR, EnvctlError, "field is immutable",
         "`kubectl delete deployment web -n shop-it`"),
        ("upgrade", OTHER, EnvctlError, "must be greater", "Correct the chart or its values"),
    ],
)  # fmt: skip
def test_what_to_do(
    failing: Path, verb: str, says: str, kind: type[EnvctlError], why: str, advice: str
) -> None:
    failing.write_text(says)
    with pytest.raises(kind) as found:
        asyncio.run(Helm(None, ()).once([verb, "app", "chart", "--namespace", "shop-it"]))
    assert why in found.value.why
    assert advice in found.value.next


def test_what_the_server_warns_about_is_passed_on(failing: Path) -> None:
    """Whether the release succeeds or not; what a mere rendering says is not the server's."""
    failing.write_text('I1125 13:28:58.099481 5026 warnings.go:107] "Warning: x is deprecated"\n')
    told: list[tuple[str, str]] = []
    for verb in ("template", "upgrade"):
        with (
            attempt.within(10, warned=lambda doing, text: told.append((doing, text))),
            pytest.raises(EnvctlError),
        ):
            asyncio.run(Helm(None, ()).once([verb, "app", "chart"]))
    assert told == [("upgrade the release app", "x is deprecated")]
