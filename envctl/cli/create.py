"""``envctl create``."""

from __future__ import annotations

from envctl.cli import stages

create = stages.command(
    "create",
    ("create",),
    """Make the namespace with its quota, limits, network policy and account; deploy nothing.

    Example: envctl create --name try-out
    """,
)
