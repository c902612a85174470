"""``envctl test``."""

from __future__ import annotations

from envctl.cli import stages

test = stages.command(
    "test",
    ("test",),
    """Run the checks against a deployed environment, all of them, every time.

    Example: envctl test --junit report.xml
    """,
)
