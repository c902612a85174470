"""Limits that the CI sets and envctl.yaml cannot lift: they narrow what the file says (law 9).

A limit that is not set limits nothing, except in the profile ``confined``, which sets all of them
for merge requests whose author nobody has vouched for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from envctl.errors import ConfigError, Refused
from envctl.model import quantity
from envctl.model.spec import CommandSource, KustomizeSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envctl.model.spec import Check, Component, Guardrails

HOUR = 3600.0
CONFINED = "confined"
_EGRESS = ("dns", "same-environment")
_INGRESS = ("same-environment", "ingress-controller")
_QUOTA = {
    "requests.cpu": "2", "requests.memory": "2Gi", "limits.cpu": "4", "limits.memory": "4Gi",
    "requests.storage": "5Gi", "persistentvolumeclaims": "5", "pods": "20",
    "services.loadbalancers": "0", "services.nodeports": "0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """``ttl`` and ``max_age`` are seconds, 0 where there is no limit."""

    confined: bool = False
    commands: bool = True
    ttl: float = 0.0
    max_age: float = 0.0
    quota: Mapping[str, str] = field(default_factory=dict)

    def lifetime(self, ttl: float, max_age: float) -> tuple[float, float]:
        """What is left of the file's ``ttl`` and ``max``; 0 in the file means without end."""
        return _shorter(ttl, self.ttl), _shorter(max_age, self.max_age)

    def narrow(
        self, wanted: Guardrails, container_defaults: Mapping[str, Mapping[str, str]]
    ) -> Guardrails:
        """The guardrails that the file wants, as far as they are allowed."""
        quota = {**wanted.quota, **_least(wanted.quota, self.quota)}
        if not self.confined:
            return replace(wanted, quota=quota)
        return replace(
            wanted,
            quota=quota,
            # With limits in the quota, the server takes no container without any.
            container_defaults={
                key: {**container_defaults[key], **found}
                for key, found in wanted.container_defaults.items()
            },
            egress=tuple(peer for peer in wanted.egress if peer in _EGRESS),
            ingress=tuple(peer for peer in wanted.ingress if peer in _INGRESS),
            security="restricted",
            cluster_scoped=(),
            confined=True,
        )

    def components(self, found: tuple[Component, ...]) -> tuple[Component, ...]:
        """The components, those of Helm only rendered by it where the author is not trusted.

        As a release, Helm would render the chart with `lookup`, which reads what our credential may
        read, and install what nobody has looked at. Raises Refused for a kustomization that has
        the runner fetch something, with the runner's network and git credentials.
        """
        if not self.confined:
            return found
        for component in found:
            if isinstance(component.source, KustomizeSource) and component.source.remote:
                raise _fetches(component.name, component.source.remote[0])
        return tuple(replace(c, type="chart") if c.type == "helm" else c for c in found)

    def checks(self, found: tuple[Check, ...]) -> tuple[Check, ...]:
        """The checks; raises Refused for a command where none may be run on this machine."""
        for check in found:
            if isinstance(check.source, CommandSource) and not self.commands:
                raise _runs(check.name, confined=self.confined)
        return found


def read(env: Mapping[str, str]) -> Limits:
    """The limits in ENVCTL_PROFILE, ENVCTL_COMMANDS and ENVCTL_MAX_TTL, _AGE and _QUOTA."""
    from envctl.config import duration

    profile = env.get("ENVCTL_PROFILE", "")
    if profile not in ("", CONFINED):
        raise ConfigError(
            f"ENVCTL_PROFILE is {profile[:40]!r}.",
            why=f"The only profile is {CONFINED}.",
            next=f"Set it to {CONFINED}, or unset it.",
        )
    limits = Limits(
        commands=_commands(env),
        ttl=duration.seconds(env.get("ENVCTL_MAX_TTL", ""), what="ENVCTL_MAX_TTL"),
        max_age=duration.seconds(env.get("ENVCTL_MAX_AGE", ""), what="ENVCTL_MAX_AGE"),
        quota=_quota(env.get("ENVCTL_MAX_QUOTA", "")),
    )
    if profile != CONFINED:
        return limits
    return Limits(
        confined=True,
        commands=False,
        ttl=_shorter(limits.ttl, 4 * HOUR),
        max_age=_shorter(limits.max_age, 24 * HOUR),
        quota={**limits.quota, **_least(limits.quota, _QUOTA)},
    )


def _commands(env: Mapping[str, str]) -> bool:
    """Whether envctl.yaml may name commands for this machine: on a laptop, or where the CI says so.

    A pipeline whose script its authors may not change must not open them a runner unasked.
    """
    word = env.get("ENVCTL_COMMANDS", "")
    if word not in ("", "allow", "refuse"):
        raise ConfigError(
            f"ENVCTL_COMMANDS is {word[:40]!r}.",
            why="It says whether checks may run commands where envctl runs.",
            next="Set it to allow or to refuse, or unset it.",
        )
    in_ci = env.get("CI", "").lower() not in ("", "0", "false")
    return word == "allow" or (not word and not in_ci)


def _runs(check: str, *, confined: bool) -> Refused:
    if confined:
        return Refused(
            f"The check {check!r} is not allowed in a confined environment.",
            why="It is a command, which would run on the runner with the runner's rights.",
            next="Make it a job, which runs in the environment, or have a maintainer who has read "
            "the change deploy it from a branch of the project.",
        )
    return Refused(
        f"The check {check!r} may not run here.",
        why="It is a command, which whoever changes envctl.yaml could have the runner run; "
        "ENVCTL_COMMANDS does not allow that.",
        next="Set ENVCTL_COMMANDS=allow in the CI's variables where authors may run what they like "
        "on the runner, or make the check a job.",
    )


def _quota(text: str) -> dict[str, str]:
    found = {}
    for word in text.replace(",", " ").split():
        name, separator, value = word.partition("=")
        if not (separator and name and quantity.parse(value) is not None):
            raise ConfigError(
                f"ENVCTL_MAX_QUOTA holds {word[:80]!r}, which is not RESOURCE=QUANTITY.",
                why="It is the most that environment.quota in envctl.yaml may ask for.",
                next="Write for example requests.cpu=4 requests.memory=8Gi pods=40.",
            )
        found[name] = value
    return found


def _fetches(component: str, what: str) -> Refused:
    return Refused(
        f"{component} is not allowed in a confined environment.",
        why=f"Its kustomization names {what[:200]!r}, which is not in the repository, and would be "
        "fetched from the runner's place in the network.",
        next="Copy it into the repository, or have a maintainer who has read the change deploy it "
        "from a branch of the project.",
    )


def _shorter(wanted: float, most: float) -> float:
    return min(wanted, most) if wanted and most else wanted or most


def _least(wanted: Mapping[str, str], most: Mapping[str, str]) -> dict[str, str]:
    """For each limit, what is wanted where that is less; what cannot be compared is the limit."""
    found = {}
    for name, limit in most.items():
        value, bound = quantity.parse(wanted.get(name, limit)), quantity.parse(limit)
        less = value is not None and bound is not None and value < bound
        found[name] = wanted[name] if less else limit
    return found
