"""The options of ``cluster init``, checked before they become rules that hold for others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envctl.config import names
from envctl.errors import ConfigError
from envctl.model.setup import EGRESS, Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The longest suffix of a name is ``-gc-environment``.
MAX_NAME = 40
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+|localhost")
_QUOTA_KEY = re.compile(r"[a-z0-9]([-a-z0-9./]*[a-z0-9])?")
_QUANTITY = re.compile(r"\d+(\.\d+)?([munpkMGTPE]|[KMGTPE]i)?")


def read(  # noqa: PLR0913 - one for each option of the verb
    *,
    name: str,
    projects: Sequence[str] = (),
    users: Sequence[str] = (),
    groups: Sequence[str] = (),
    gitlab_projects: Sequence[int] = (),
    gitlab_groups: Sequence[int] = (),
    gc_groups: Sequence[str] = (),
    view_groups: Sequence[str] = (),
    domains: Sequence[str] = (),
    quota: Sequence[str] = (),
    egress: Sequence[str] = (),
    security: str = "baseline",
    load_balancers: bool = False,
) -> Setup:
    """A set-up of valid options; raises ConfigError."""
    agents = [f"gitlab:project:{number}" for number in gitlab_projects]
    agents += [f"gitlab:group:{number}" for number in gitlab_groups]
    subjects = [("--oidc-user", users), ("--oidc-group", groups), ("--gc-group", gc_groups)]
    for option, words in [*subjects, ("--view-group", view_groups)]:
        _check_subjects(option, words)
    return Setup(
        name=names.check_label("set-up", name, MAX_NAME),
        projects=_each(projects, lambda p: names.check_label("project", p, names.MAX_PROJECT)),
        users=tuple(users),
        groups=(*groups, *agents),
        gc_groups=tuple(gc_groups),
        viewers=tuple(view_groups),
        domains=_each(domains, _domain),
        security=_security(security),
        load_balancers=load_balancers,
        quota=dict(_ceiling(word) for word in quota),
        egress=_each(egress, _peer) or EGRESS,
    )


def words(values: Sequence[str]) -> list[str]:
    """The words of an option that may be repeated, or given once with commas."""
    return [word for value in values for word in re.split(r"[\s,]+", value) if word]


def _each(values: Sequence[str], check: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check(word) for word in words(values)))


def _check_subjects(option: str, subjects: Sequence[str]) -> None:
    for subject in subjects:
        if not subject.strip() or not subject.isprintable():
            raise ConfigError(
                f"{option} {subject[:80]!r} is no name.",
                why="A user or group is one line of text, as the cluster's log-in reports it.",
                next="Ask the cluster with the credential itself: `kubectl auth whoami`.",
            )
        if subject.startswith("system:") and not subject.startswith("system:serviceaccount:"):
            raise ConfigError(
                f"{option} {subject[:80]!r} is refused.",
                why="Kubernetes' own groups hold every user, every account or the administrators.",
                next="Name the group that your log-in gives to the pipeline, or one account.",
            )


def _domain(word: str) -> str:
    found = word.removeprefix("*.").lower()
    if len(found) > 253 or not _DOMAIN.fullmatch(found):
        raise ConfigError(
            f"--domain {word[:80]!r} is no domain.",
            why="It is the part of the host names that all environments share.",
            next="Write for example --domain preview.example.org.",
        )
    return found


def _peer(word: str) -> str:
    if word not in (*EGRESS, "anything"):
        raise ConfigError(
            f"--egress {word[:40]!r} is nobody whom envctl knows.",
            why="It is whom the pods of environments may talk to, at the most.",
            next=f"Choose among {', '.join(EGRESS)}; anything lifts the limit.",
        )
    return word


def _security(word: str) -> str:
    if word not in ("baseline", "restricted"):
        raise ConfigError(
            f"--security {word[:40]!r} is no level.",
            why="Environments are held to the Pod Security standard baseline or restricted.",
            next="Write --security restricted, or leave it out for baseline.",
        )
    return word


def _ceiling(word: str) -> tuple[str, str]:
    key, equals, most = word.partition("=")
    if not (equals and _QUOTA_KEY.fullmatch(key) and _QUANTITY.fullmatch(most)):
        raise ConfigError(
            f"--max-quota {word[:80]!r} is not RESOURCE=QUANTITY.",
            why="It is the most that environment.quota in envctl.yaml may say for that resource.",
            next="Write for example --max-quota requests.memory=16Gi.",
        )
    return key, most
