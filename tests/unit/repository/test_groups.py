"""Tests that share a server run on one worker, which xdist and pytest decide together."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import os, pathlib, pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_together(number):
    with pathlib.Path({file!r}).open("a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_a_group_is_run_by_one_worker(tmp_path: Path) -> None:
    told = tmp_path / "workers"
    (tmp_path / "test_group.py").write_text(TESTS.format(file=str(told)))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"]
    done = subprocess.run([*command, "-p", "no:cacheprovider", "--rootdir", "."], cwd=tmp_path,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    workers = told.read_text().split()
    assert len(workers) == 8
    assert len(set(workers)) == 1
