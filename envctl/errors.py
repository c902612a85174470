"""Every error a user can meet, as one small tree; each knows its exit code and its next action.

    EnvctlError              1    the environment or the change is at fault
    ├── ConfigError          2    usage or configuration; nothing was touched
    ├── CheckFailed          4    deployed, but a check or gate said no
    ├── Unavailable          75   cluster, forge or lock not to be had; trying again may help
    │   └── Locked           75   another run is working on the environment
    ├── Refused              77   a guardrail said no
    │   └── Forbidden        77   the credential lacks a permission
    ├── Superseded           79   a newer pipeline took over
    ├── TimedOut             124  a named timeout passed
    └── Interrupted          130, 143

The exit codes are public API (docs/exit-codes.md). Anything that is not an ``EnvctlError`` when it
reaches the command line is a bug in envctl and ends with ``EXIT_BUG`` (70).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envctl.model.failure import Failure

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CHANGES = 3
EXIT_CHECK = 4
EXIT_BUG = 70
EXIT_RETRY = 75
EXIT_REFUSED = 77
EXIT_SUPERSEDED = 79
EXIT_TIMEOUT = 124
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class EnvctlError(Exception):
    """Something went wrong in a way that the user can understand and act on.

    ``what``, ``why`` and ``next`` are a sentence each: what happened, why, and what to do about it.
    ``failure`` is the diagnosis, where the error comes from looking at the cluster.
    """

    exit_code = EXIT_FAILED

    def __init__(
        self, what: str, *, why: str = "", next: str = "", failure: Failure | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next = next
        self.failure = failure

    def __str__(self) -> str:
        return " ".join(sentence for sentence in (self.what, self.why, self.next) if sentence)


class ConfigError(EnvctlError):
    """The command line, the environment variables or envctl.yaml are wrong; nothing was touched."""

    exit_code = EXIT_USAGE


class CheckFailed(EnvctlError):
    """The environment is deployed, but one of its checks failed."""

    exit_code = EXIT_CHECK


class Unavailable(EnvctlError):
    """The cluster or the forge did not answer, or not sensibly; the same command may work later."""

    exit_code = EXIT_RETRY


class Locked(Unavailable):
    """Another run holds the environment's lock and did not let go in time."""


class Refused(EnvctlError):
    """A guardrail forbids what was asked for."""

    exit_code = EXIT_REFUSED


class Forbidden(Refused):
    """The credential lacks a permission; the message names verb, resource and the rule to add."""


class Superseded(EnvctlError):
    """A newer pipeline works on the environment; this run has written nothing since."""

    exit_code = EXIT_SUPERSEDED


class TimedOut(EnvctlError):
    """A named timeout passed."""

    exit_code = EXIT_TIMEOUT


class Interrupted(EnvctlError):
    """SIGINT or SIGTERM; the state is consistent and the lock released."""

    exit_code = EXIT_INTERRUPTED

    def __init__(self, what: str, *, exit_code: int = EXIT_INTERRUPTED, next: str = "") -> None:
        super().__init__(what, next=next)
        self.exit_code = exit_code
