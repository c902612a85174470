"""pyhelm3's ``Command`` without its traps: no shell, no orphaned helm, errors that name the cause.

pyhelm3 runs ``sh -c`` and ends only the shell when it is cancelled, so that helm goes on writing;
it logs tokens, and fails an assertion where helm is missing.
"""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Any

from pyhelm3.command import Command

from envctl.adapters import tools
from envctl.adapters.retrying import Transient, retrying
from envctl.config import duration
from envctl.errors import ConfigError, EnvctlError
from envctl.model import immutable, servers, step
from envctl.ports import attempt, fence, timing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envctl.adapters.kubernetes.connect import Target

#: Revisions that Helm keeps, and so Secrets in the namespace.
HISTORY = 5
#: Seconds for a command that has no timeout of its own.
TIMEOUT = 120.0
MINIMUM = (3, 12)
_WRITES = ("upgrade", "install", "rollback", "uninstall")
_TRANSIENT = (
    "connection refused", "connection reset", "i/o timeout", "tls handshake timeout",
    "unexpected eof", "too many requests", "etcdserver", "the server is currently unable",
    "service unavailable", "network is unreachable", "http2: client connection lost",
    "internal error occurred", "an error on the server", "client.timeout", "deadline exceeded",
    "the object has been modified", "reported a conflict", "broken pipe", ": eof",
    "status: unknown, message:",  # of a hook, when Helm could not look at it
)  # fmt: skip
#: How Helm begins when values do not fit the schema of a chart.
_SCHEMA = "values don't meet the specifications of the schema"
#: How the API server refuses an object, inside what Helm says.
_INVALID = re.compile(
    r'(?P<kind>\w+)(?:\.[\w.-]+)? "(?P<name>[^"]+)" is invalid: (?P<why>.+)', re.DOTALL
)
_LOCKED = "another operation (install/upgrade/rollback) is in progress"


class ReleaseMissing(EnvctlError):
    """There is no such release."""


class Helm(Command):  # type: ignore[misc]  # pyhelm3 has no types
    """Helm against one context; every command is retried by the policy ``helm``."""

    def __init__(self, target: Target | None, folders: Sequence[Path]) -> None:
        super().__init__(
            executable=tools.require("helm", folders, "A component of type helm"),
            history_max_revisions=HISTORY,
        )
        self._target = target
        self._parsed: tuple[int, int] | None = None
        self._asking = asyncio.Lock()

    async def run(
        self, command: list[Any], input: bytes | None = None, files: Sequence[int] = ()
    ) -> bytes:
        """Run helm and return its stdout; raises EnvctlError, TimedOut, ConfigError."""
        arguments = [str(part) for part in command]
        return await retrying(step.HELM, lambda: self.once(arguments, input, files))

    async def once(
        self, arguments: list[str], stdin: bytes | None = None, files: Sequence[int] = ()
    ) -> bytes:
        """Run helm once, for a caller that has something to do before it tries again.

        It inherits the open ``files`` and reads each from its start.
        """
        env: dict[str, str] = {}
        if self._target is not None and self._target.kubeconfig:
            env = {"KUBECONFIG": self._target.kubeconfig, "HELM_KUBECONTEXT": self._target.context}
        env["HELM_DRIVER"] = "secret"  # where envctl looks for what Helm has on record
        holder = None
        if arguments[0] in _WRITES:
            await fence.check()
            holder = fence.current()
        for file in files:  # on a Mac, /dev/fd goes on where an earlier try has read to
            os.lseek(file, 0, os.SEEK_SET)
        with timing.measured("helm", " ".join(arguments[:2])):
            done = await tools.run(
                [self._executable, *arguments], stdin=stdin, env=env, timeout=_timeout(arguments),
                holder=holder, files=files,
            )  # fmt: skip
        for text in servers.warnings_in(done.stderr) if arguments[0] in _WRITES else ():
            attempt.report_warning(f"{arguments[0]} the release {arguments[1]}", text)
        if done.code < 0:
            raise _killed(arguments, -done.code)
        if done.code:
            raise _error(arguments, done.stderr)
        return done.stdout

    async def parsed_version(self) -> tuple[int, int]:
        """Major and minor version; raises ConfigError for one that is too old.

        Every component asks at once: the first starts a process, the others wait for its answer.
        """
        async with self._asking:
            if self._parsed is None:
                self._parsed = _accepted(await self.version())
        return self._parsed


def _accepted(text: str) -> tuple[int, int]:
    match = re.search(r"v(\d+)\.(\d+)", text)
    parsed = (int(match[1]), int(match[2])) if match else (0, 0)
    if parsed < MINIMUM:
        raise ConfigError(
            f"Helm {text.strip()} is too old.",
            why=f"envctl needs Helm {MINIMUM[0]}.{MINIMUM[1]} or newer.",
            next="Install a newer Helm, or run `envctl local start`, which brings one.",
        )
    return parsed


def _timeout(arguments: list[str]) -> float:
    """Helm's own ``--timeout`` and a little, so that helm is the one that explains."""
    if "--timeout" in arguments:
        own = duration.seconds(arguments[arguments.index("--timeout") + 1])
        return attempt.remaining(own + 15)
    return attempt.remaining(TIMEOUT)


#: Helm's own warnings, and those that the API server sends along (klog's format): no reason.
_NOISE = re.compile(r"WARNING|[IW]\d{4} .*warnings\.go|level=WARN")


def _killed(arguments: list[str], number: int) -> Transient:
    return Transient(
        f"helm {arguments[0]} {arguments[1]} was killed by signal {number}.",
        why="Memory is short, or this run could not renew its lock in time.",
        next="Run the command again; give the job more memory if it repeats.",
    )


def _error(arguments: list[str], stderr: str) -> EnvctlError:
    verb, name = arguments[0], arguments[1] if len(arguments) > 1 else ""
    lines = [line for line in stderr.strip().splitlines() if not _NOISE.match(line)]
    message = " ".join(" ".join(lines).removeprefix("Error: ").split())[:3000] or "nothing"
    lower = message.lower()
    if "release: not found" in lower:
        return ReleaseMissing(f"There is no release {name!r}.")
    if any(word in lower for word in _TRANSIENT) or _LOCKED in lower:
        return Transient(
            f"helm {verb} {name} did not reach its goal.",
            why=f"Helm says: {message}.",
            next="Run the command again.",
        )
    if verb == "template" and _SCHEMA in message:
        return ConfigError(
            f"The values of {name!r} are not what its chart takes.",
            why=f"Helm says: {message}.",
            next=f"Correct the values of {name!r} in envctl.yaml or in the files it names: the "
            "chart's values.schema.json says what each may be.",
        )
    if verb == "template":
        return ConfigError(
            f"The chart of {name!r} does not render.",
            why=f"Helm says: {message}.",
            next=f"Correct the template or the values it names; `helm template {name} CHART` "
            "shows the same.",
        )
    return EnvctlError(
        f"helm {verb} {name} failed.",
        why=f"Helm says: {message}.",
        next=_advice(arguments, message),
    )


def _advice(arguments: list[str], message: str) -> str:
    """What to do about a release that failed; about a field that stays as it is in particular."""
    found = _INVALID.search(message)
    if found and immutable.fixed([{"message": found["why"]}]):
        where = arguments.index("--namespace") + 1 if "--namespace" in arguments else -1
        namespace = arguments[where] if where > 0 else ""
        return immutable.advice(found["kind"], found["name"], namespace)
    return "Correct the chart or its values, then run the command again."
