"""Checks that are commands: started as they are written, heard, ended in time."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from envctl.adapters.kubernetes.connect import Target
from envctl.adapters.lines import MAX_LINE
from envctl.adapters.sources.commands import Commands
from envctl.errors import ConfigError, TimedOut
from envctl.model import cases
from envctl.model.environment import Environment
from envctl.model.spec import Check, CommandSource
from envctl.ports.sources import Ran

ENVIRONMENT = Environment("shop", "fix", "shop-fix")


def check(folder: Path, *argv: str, named: tuple[Path, ...] = (), pytest: bool = False) -> Check:
    return Check("smoke", CommandSource(argv, folder, named, pytest))


async def run(
    folder: Path, *argv: str, timeout: float = 30, target: Target | None = None
) -> tuple[int, str, list[str]]:
    """Run it; the exit code, what it left as numbers, and its lines."""
    lines: list[str] = []
    variables = {"ENVCTL_URL": "http://fix.localhost"}
    ran = await Commands(target).run(check(folder, *argv), variables, timeout, lines.append)
    return ran.code, ran.metrics, lines


async def fingerprint(folder: Path, *argv: str, named: tuple[Path, ...] = ()) -> str:
    return await Commands(None).fingerprint(check(folder, *argv, named=named), ENVIRONMENT)


async def test_it_is_heard_and_its_numbers_are_read(tmp_path: Path) -> None:
    script = 'echo "to $ENVCTL_URL"; echo trouble >&2; echo p95=3 > "$ENVCTL_METRICS"; exit 7'
    assert await run(tmp_path, "sh", "-c", script) == (
        7, "p95=3\n", ["to http://fix.localhost", "trouble"],
    )  # fmt: skip


E2E = """\
def test_good(record_property):
    record_property("p95_ms", 104)

def test_bad():
    assert 6 == 5
"""


async def test_pytest_is_told_where_its_report_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    (tmp_path / "test_e2e.py").write_text(E2E)
    lines: list[str] = []
    source = check(tmp_path, "pytest", "-p", "no:cacheprovider", "test_e2e.py", pytest=True)
    ran = await Commands(None).run(source, {}, 120, lines.append)
    assert ran.code == 1, lines
    report = cases.read(ran.report)
    assert [case.title for case in report.bad] == ["test_e2e::test_bad"]
    assert (report.total, report.metrics) == (2, (("p95_ms", 104.0),))


async def test_any_command_may_leave_a_report(tmp_path: Path) -> None:
    source = check(tmp_path, "sh", "-c", 'echo "<testsuites/>" > "$ENVCTL_JUNIT"')
    ran = await Commands(None).run(source, {}, 30, print)
    assert ran == Ran(0, "", "<testsuites/>\n")


@pytest.mark.parametrize(
    "leaves", ['mkfifo "$ENVCTL_METRICS"', 'ln -s /dev/zero "$ENVCTL_METRICS"',
               'mkdir "$ENVCTL_METRICS"', 'rm -r "${ENVCTL_METRICS%/*}"'],
)  # fmt: skip
async def test_what_is_no_file_is_not_read(tmp_path: Path, leaves: str) -> None:
    async with asyncio.timeout(20):
        assert await run(tmp_path, "sh", "-c", leaves) == (0, "", [])


async def test_no_shell_reads_its_words(tmp_path: Path) -> None:
    _, _, lines = await run(tmp_path, "echo", "$HOME; exit 3", "*")
    assert lines == ["$HOME; exit 3 *"]


async def test_it_runs_in_its_folder_and_a_path_begins_there(tmp_path: Path) -> None:
    script = tmp_path / "checks/smoke"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\npwd; echo "$KUBECONFIG"\n')
    script.chmod(0o755)
    code, _, lines = await run(tmp_path, "checks/smoke", target=Target("preview", "/a:/b"))
    assert (code, lines) == (0, [str(tmp_path), "/a:/b"])


async def test_envctls_own_tokens_are_kept_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ENVCTL_FORGE_TOKEN", "ENVCTL_API_TOKEN", "OTHER_TOKEN"):
        monkeypatch.setenv(name, "canary")
    _, _, lines = await run(tmp_path, "env")
    assert [line for line in lines if "canary" in line] == ["OTHER_TOKEN=canary"]


async def test_a_line_without_an_end_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    script = f"head -c {10 * MAX_LINE} /dev/zero | tr '\\0' x; echo; printf 'a\\377b'"
    _, _, lines = await run(tmp_path, "sh", "-c", script)
    assert len(lines) == 2
    assert lines[0] == "x" * MAX_LINE + " …"
    assert lines[1] == "a�b"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while _alive(pid):  # noqa: ASYNC110 - a process tells nobody but its parent
            await asyncio.sleep(0.01)


async def test_what_is_late_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    lines: list[str] = []
    source = check(tmp_path, "sh", "-c", "sleep 300 & echo $!; wait")
    with pytest.raises(TimedOut):
        await Commands(None).run(source, {}, 1.0, lines.append)
    await _gone(int(lines[0]))


async def test_what_it_starts_may_end_a_moment_later(tmp_path: Path) -> None:
    _, _, lines = await run(tmp_path, "sh", "-c", "(sleep 0.3; echo last) & echo first")
    assert lines == ["first", "last"]


async def test_it_goes_on_when_it_has_closed_its_output(tmp_path: Path) -> None:
    script = "echo first; exec >&- 2>&-; sleep 1; touch done; exit 5"
    code, _, lines = await run(tmp_path, "sh", "-c", script)
    assert (code, lines) == (5, ["first"])
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("output", ["", " >/dev/null 2>&1"])
async def test_what_it_leaves_in_the_background_ends_with_it(tmp_path: Path, output: str) -> None:
    async with asyncio.timeout(30):
        code, _, lines = await run(tmp_path, "sh", "-c", f"sleep 300{output} & echo $!; exit 4")
    assert code == 4
    await _gone(int(lines[0]))


async def test_what_is_cancelled_is_ended(tmp_path: Path) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    source = check(tmp_path, "sh", "-c", "echo $$; sleep 300")
    running = asyncio.create_task(Commands(None).run(source, {}, 300, heard.put_nowait))
    pid = int(await heard.get())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await _gone(pid)


@pytest.mark.parametrize("word", ["no-such-program", "checks/none", "notes.txt"])
async def test_what_cannot_be_run_is_an_error_of_the_configuration(
    tmp_path: Path, word: str
) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(ConfigError, match=word) as caught:
        await run(tmp_path, word)
    assert "smoke" in caught.value.what
    commands, source = Commands(None), check(tmp_path, word)
    with pytest.raises(ConfigError, match=word):
        commands.require(source)
    if "/" not in word:  # a program that only the runner has is no fault of the file's
        assert (await commands.render(source, ENVIRONMENT)).objects == ()
        return
    with pytest.raises(ConfigError, match=word):
        await commands.render(source, ENVIRONMENT)


async def test_a_program_that_the_system_refuses(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigError, match="broken"):
        await run(tmp_path, "./broken")


async def test_the_fingerprint_is_of_words_and_of_what_they_name(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    named = (folder,)
    first = await fingerprint(tmp_path, "pytest", "checks", named=named)
    assert await fingerprint(tmp_path, "pytest", "checks", named=named) == first
    assert await fingerprint(tmp_path, "pytest", "-x", "checks", named=named) != first
    (folder / "__pycache__/a.pyc").write_text("compiled")
    (folder / ".cache").write_text("left")
    assert await fingerprint(tmp_path, "pytest", "checks", named=named) == first
    (folder / "a.py").write_text("2")
    second = await fingerprint(tmp_path, "pytest", "checks", named=named)
    assert second != first
    (folder / "b.py").symlink_to("/etc/hostname")
    assert await fingerprint(tmp_path, "pytest", "checks", named=named) != second
