"""A GitLab for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    """A running one; at the end it is held against GitLab's own description."""
    server = GitLab(tmp_path)
    server.start()
    yield server
    server.stop()
