from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envctl.errors import ConfigError, EnvctlError
from envctl.model import redact
from envctl.model.evidence import Evidence, Tail
from envctl.output.folder import INDEX, DiskFolder, index, prepare
from tests.unit.output.samples import FAILURE

if TYPE_CHECKING:
    from pathlib import Path

ERROR = EnvctlError(FAILURE.verdict, next=FAILURE.next, failure=FAILURE)


def test_the_index_begins_with_the_verdict_and_says_what_else_there_is(tmp_path: Path) -> None:
    DiskFolder(tmp_path).lines("events.txt", ["one"])
    text = index(tmp_path, ERROR, Evidence(("No nodes.",)), "up shop/it")
    assert text.splitlines()[1] == f"# up shop/it: {FAILURE.verdict}"
    assert "line 29 of the log" in text
    assert "`events.txt`" in text
    assert "`logs`" not in text
    assert "- No nodes." in text


def test_an_interrupted_run_says_what_it_was_waiting_for(tmp_path: Path) -> None:
    text = index(tmp_path, EnvctlError("Terminated."), None, "up", ["Deployment/web: 0 of 1"])
    assert "## What it was waiting for\n\n```\nDeployment/web: 0 of 1\n```" in text


def test_the_index_shows_no_secret_either(tmp_path: Path) -> None:
    evidence = Evidence(("line 29 of the log is a gap",), redact.hidden(["line 29 of the log"]))
    assert "line 29" not in index(tmp_path, ERROR, evidence, "up")


def test_a_log_cannot_end_the_fence_that_it_is_in(tmp_path: Path) -> None:
    error = EnvctlError("It failed: ```\n# not a heading")
    assert index(tmp_path, error, None, "up").count("````") == 2


@pytest.mark.parametrize(
    "path", ["../out.txt", "/etc/out.txt", "logs/../../out", "a\x00b", "logs/.hidden", "x" * 500]
)
def test_no_name_leads_out_of_it(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    DiskFolder(root).text(path, "text")
    assert [p.name for p in tmp_path.iterdir()] == ["root"]
    (written,) = (p for p in root.rglob("*") if p.is_file())
    assert not written.name.startswith(".")


def test_no_link_leads_out_of_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "logs").symlink_to(outside)
    with pytest.raises(OSError, match="leads out"):
        DiskFolder(root).text("logs/web.log", "text")
    assert not list(outside.iterdir())


def test_what_an_earlier_run_has_left_goes_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "root"
    DiskFolder(root).text("logs/web/web.log", "old")
    (root / INDEX).write_text(index(root, ERROR, None, "up"))
    (root / "notes.txt").write_text("mine")
    prepare(root)
    assert [p.name for p in root.rglob("*")] == ["notes.txt"]


def test_what_somebody_else_has_put_there_stays(tmp_path: Path) -> None:
    (tmp_path / "events.txt").write_text("mine")
    prepare(tmp_path)
    assert (tmp_path / "events.txt").read_text() == "mine"


def test_a_folder_is_only_there_when_something_is_in_it(tmp_path: Path) -> None:
    prepare(tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_a_file_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        prepare(tmp_path / "file")


def test_a_log_is_bounded_and_says_so() -> None:
    tail = Tail(1000)
    for number in range(100_000):
        tail.add(f"line {number}")
    lines = list(tail.lines())
    assert lines[-1] == "line 99999"
    assert sum(len(line) + 1 for line in lines[1:]) <= 1000
    assert lines[0] == f"[{100_000 - len(lines) + 1} lines before these were left out]"
    assert len(tail._lines) < 5000
