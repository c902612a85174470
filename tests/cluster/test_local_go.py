"""The Go tests of the embedded cluster: rules of network policies, whose tables are pure."""

from __future__ import annotations

import asyncio
import os
import subprocess

import pytest

from envctl.adapters.local.compile import ENVIRONMENT
from envctl.adapters.local.places import sources_folder
from envctl.adapters.local.toolchain import find_go

# The first run compiles what the tests need and the programs did not; the rest is cached.
pytestmark = [pytest.mark.timeout(600)]


def test_the_rules_of_network_policies() -> None:
    sources = sources_folder()
    go = asyncio.run(find_go(sources))
    done = subprocess.run(
        [go, "test", "-trimpath", "-vet=off", "-mod=readonly", "./internal/..."],
        cwd=sources,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok  \tenvctl.dev/cluster/internal/policy" in done.stdout
