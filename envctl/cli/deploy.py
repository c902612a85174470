"""``envctl deploy``."""

from __future__ import annotations

from envctl.cli import stages

deploy = stages.command(
    "deploy",
    ("deploy",),
    """Deploy the components into an environment that exists.

    Example: envctl deploy --image api=registry.example.org/shop/api:1.2
    """,
)
