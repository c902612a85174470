"""``envctl up``."""

from __future__ import annotations

from envctl.cli import stages

up = stages.command(
    "up",
    ("create", "deploy", "test"),
    """Make the environment what envctl.yaml says: create, deploy, test.

    Run again with nothing changed, it writes nothing; killed, it goes on where it was.

    Example: envctl up --image api=registry.example.org/shop/api:1.2
    """,
)
