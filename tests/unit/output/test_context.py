"""What the audit log of a cluster says of a run."""

from __future__ import annotations

import pytest

from envctl import __version__
from envctl.output.context import RunContext


@pytest.mark.parametrize(
    ("run", "agent"),
    [
        (RunContext(), f"envctl/{__version__}"),
        (RunContext(run="a1b2"), f"envctl/{__version__} (run a1b2)"),
        (RunContext(run="a1b2", pipeline="42"), f"envctl/{__version__} (run a1b2; pipeline 42)"),
        (
            RunContext(run="a1b2", pipeline="4\r\nX-Evil: (2)"),
            f"envctl/{__version__} (run a1b2; pipeline 4X-Evil2)",
        ),
    ],
)
def test_a_run_names_itself_in_the_audit_log(run: RunContext, agent: str) -> None:
    assert run.agent == agent
