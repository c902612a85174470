"""Names of environments, projects and components, and the slug that GitLab makes of a branch."""

from __future__ import annotations

import hashlib
import re

from envctl.errors import ConfigError

#: A namespace is ``PROJECT-NAME`` and at most 63 characters (RFC 1123 label).
MAX_PROJECT = 22
MAX_NAME = 40
#: A component's name is its Helm release's; Helm allows 53, pods' names want room for a suffix.
MAX_COMPONENT = 40
_SLUG = 24
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


def base36(number: int) -> str:
    """A non-negative number in base 36, as GitLab's slug suffix uses it."""
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"


def slug(name: str) -> str:
    """CI_ENVIRONMENT_SLUG of an environment's name, by GitLab's own algorithm.

    Lower case, anything but letters and digits a dash, a letter in front, at most 24 characters;
    where that changed the name, a suffix of its SHA-256 keeps two names apart.
    Source: GitLab's Gitlab::Slug::Environment.
    """
    text = re.sub(r"[^a-z0-9]", "-", name.lower())
    if not re.match(r"[a-z]", text):
        text = f"env-{text}"
    text = re.sub(r"-+", "-", text)
    if len(text) <= _SLUG and text == name:
        return text.rstrip("-") if text.endswith("-") else text
    suffix = base36(int(hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest(), 16))[-6:]
    return f"{text[: _SLUG - 7].rstrip('-')}-{suffix}"


def check_label(kind: str, value: str, maximum: int) -> str:
    """Return ``value`` if it is a DNS label of at most ``maximum`` characters, else ConfigError."""
    if len(value) > maximum:
        raise ConfigError(
            f"The {kind} name {value[:80]!r} is too long.",
            why=f"It has {len(value)} characters; {_limit_reason(kind)} leave room for {maximum}.",
            next="Choose a shorter name.",
        )
    if not _LABEL.fullmatch(value):
        raise ConfigError(
            f"{value[:80]!r} is not a valid {kind} name.",
            why="Kubernetes wants lower-case letters, digits and dashes, a letter first.",
            next=f"Use for example {slug(value) if value else 'preview'!r}.",
        )
    return value


def _limit_reason(kind: str) -> str:
    if kind == "component":
        return "Helm's 53 characters for a release and the suffixes of its pods"
    return "Kubernetes' 63 characters for the namespace PROJECT-NAME"


def namespace(project: str, name: str) -> str:
    """The namespace of an environment; project and name are valid already."""
    return f"{project}-{name}"


def of_branch(branch: str, *, default: bool) -> tuple[str, ...]:
    """What an environment of a branch may be called: by its slug, or as a standing release is."""
    plain = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    found = (plain, slug(branch), *(["latest"] if default else []))
    return tuple(dict.fromkeys(name for name in found if name))


def merge_request_name(iid: str, branch: str) -> str:
    """The name for a merge request's environment: stable while its branch keeps its name."""
    return f"mr-{iid}-{slug(branch)}"[:MAX_NAME].rstrip("-")
