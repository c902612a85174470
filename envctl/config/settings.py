"""What the CI or the person sets around the file: ENVCTL_* variables and global options.

envctl.yaml is part of the merge request, so its author cannot be the one who sets a limit: what is
here narrows what the file says, never the other way round (law 9).
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envctl.config import duration, limits
from envctl.errors import ConfigError, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Contexts that can only be on the machine itself, allowed when nobody says anything else.
LOCAL_CONTEXTS = ("envctl-local", "envctl-local-*", "kind-*", "k3d-*", "minikube", "docker-desktop")


@dataclass(frozen=True, slots=True)
class Settings:
    """Options and variables that hold against the author of envctl.yaml."""

    project: str = ""
    name: str = ""
    context: str = ""
    allowed_contexts: tuple[str, ...] | None = None
    cluster_scoped: tuple[str, ...] = ()
    security: str = ""
    limits: limits.Limits = field(default_factory=limits.Limits)
    images: Mapping[str, str] = field(default_factory=dict)
    settle: float | None = None
    """Seconds; None where the file may say."""


def read(
    env: Mapping[str, str],
    *,
    context: str = "",
    project: str = "",
    name: str = "",
    images: tuple[str, ...] = (),
) -> Settings:
    """Combine options and ENVCTL_* variables, options first; raises ConfigError."""
    allowed = env.get("ENVCTL_ALLOWED_CONTEXTS")
    security, settle = env.get("ENVCTL_SECURITY", ""), env.get("ENVCTL_SETTLE", "")
    if security not in ("", "baseline", "restricted"):
        raise ConfigError(
            f"ENVCTL_SECURITY is {security[:40]!r}.",
            why="Pod Security knows baseline and restricted here.",
            next="Set it to restricted, or unset it.",
        )
    return Settings(
        project=project or env.get("ENVCTL_PROJECT", ""),
        name=name or env.get("ENVCTL_NAME", ""),
        context=context or env.get("ENVCTL_CONTEXT", ""),
        allowed_contexts=None if allowed is None else tuple(_words(allowed)),
        cluster_scoped=tuple(_words(env.get("ENVCTL_CLUSTER_SCOPED", ""))),
        security=security,
        limits=limits.read(env),
        images={**_images_from(env), **_images_of(images)},
        settle=duration.seconds(settle, what="ENVCTL_SETTLE") if settle else None,
    )


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _images_from(env: Mapping[str, str]) -> dict[str, str]:
    prefix = "ENVCTL_IMAGE_"
    return {
        key.removeprefix(prefix).lower().replace("_", "-"): value
        for key, value in env.items()
        if key.startswith(prefix) and value
    }


def _images_of(options: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for option in options:
        name, separator, reference = option.partition("=")
        if not (separator and name and reference):
            raise ConfigError(
                f"--image {option[:80]!r} is not NAME=REFERENCE.",
                why="It gives ${image.NAME} in envctl.yaml its value.",
                next="Write for example --image api=registry.example.org/shop/api:1.2.",
            )
        found[name] = reference
    return found


def check_context(
    context: str, file_allows: tuple[str, ...] | None, settings: Settings, where: str
) -> None:
    """Raise Refused unless both the file and the settings allow the context.

    ``file_allows`` is None where no file is read: then the person or pipeline named the context,
    and only the settings can forbid it. Patterns are shell wildcards.
    """
    for allowed, origin in ((file_allows, where), (settings.allowed_contexts, "the CI's settings")):
        if allowed is None or any(fnmatch.fnmatchcase(context, a) for a in allowed):
            continue
        raise Refused(
            f"The context {context!r} is not allowed.",
            why=f"By {origin}, only {', '.join(allowed) or 'none'} may be used.",
            next="Choose another --context, or have it added to `cluster.allowed` in envctl.yaml"
            if origin == where
            else "Choose another --context, or have ENVCTL_ALLOWED_CONTEXTS changed.",
        )
