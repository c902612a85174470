"""Builds Gitea from its Go module, once a machine for the content of go.mod and go.sum."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from envctl.adapters.local.places import cache_folder
from envctl.adapters.local.toolchain import find_go

SOURCES = Path(__file__).parent
MODULE = "code.gitea.io/gitea"
TAGS = "sqlite sqlite_unlock_notify"
#: What Gitea reads while it runs; it is not linked in.
STATIC = ("options", "templates")
_ENVIRONMENT = {"CGO_ENABLED": "1", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def built() -> Path:
    """The folder with ``gitea`` and its static files; builds it if need be, and says how far."""
    digest = hashlib.sha256(TAGS.encode())
    for name in ("go.mod", "go.sum"):
        digest.update((SOURCES / name).read_bytes())
    target = cache_folder() / "gitea" / digest.hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            # What another content was built to is of no use any more.
            for old in target.parent.glob("*/"):
                shutil.rmtree(old)
            _build(target)
    return target


def _build(target: Path) -> None:
    go = asyncio.run(find_go(SOURCES))
    partial = target.with_suffix(".partial")
    partial.mkdir()
    flags = ["-mod=readonly", "-tags", TAGS]
    environment = {**os.environ, **_ENVIRONMENT}
    _say("Gitea: fetching sources")
    listed = subprocess.run(
        [go, "list", "-deps", *flags, MODULE],
        cwd=SOURCES, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    _compile(
        [go, "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", *flags,
         "-o", str(partial / "gitea"), MODULE],
        environment, len(listed.stdout.splitlines()),
    )  # fmt: skip
    module = subprocess.run(
        [go, "list", "-m", "-json", MODULE],
        cwd=SOURCES, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in STATIC:
        # The module cache is read-only, and copies of it would be, too.
        shutil.copytree(
            Path(json.loads(module.stdout)["Dir"]) / name,
            partial / name,
            copy_function=shutil.copyfile,
        )
    partial.rename(target)


def _compile(command: list[str], environment: dict[str, str], total: int) -> None:
    """Run the compiler; it names each package, and a line of another kind is a message."""
    compiled, said, messages = 0, 0.0, []
    with subprocess.Popen(
        command, cwd=SOURCES, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            if " " in line.strip() or line.startswith("#"):
                messages.append(line)
            compiled += 1
            if time.monotonic() - said > 10:
                said = time.monotonic()
                _say(f"Gitea: package {compiled} of {total}, usually 4 min on two cores")
    if process.returncode:
        raise RuntimeError("Gitea could not be built:\n" + "".join(messages[-20:]))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
