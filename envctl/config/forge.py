"""Which forge a run talks to, where and with which token: a function of the variables alone.

``ENVCTL_FORGE_URL``, ``_KIND`` and ``_TOKEN`` say it anywhere; in a job the CI's own variables do.
None of it can be said in envctl.yaml, whose author must not choose where a token is sent (law 9).
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envctl.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envctl.config.ci import CIContext

#: What ENVCTL_FORGE_KIND may be, what people call it, and where its API is below its URL.
KINDS = {
    "gitlab": ("GitLab", "/api/v4"),
    "gitea": ("Gitea", "/api/v1"),
    "forgejo": ("Forgejo", "/api/v1"),
    "github": ("GitHub", "/api/v3"),
}
_TOKEN = "ENVCTL_FORGE_TOKEN"  # noqa: S105 - the name of a variable
_JOB_TOKEN = "CI_JOB_TOKEN"  # noqa: S105 - the name of a variable
_PUBLIC_GITHUB = ("https://github.com", "https://api.github.com")


@dataclass(frozen=True, slots=True)
class ForgeSettings:
    """A forge and a token for it.

    ``server`` is the URL that people open, ``api`` the one that programs ask, both without a slash
    at the end. ``variable`` is the name of the variable that the token came from, and empty where
    there is no token; ``ca_file`` is empty where no private CA is needed.
    """

    kind: str
    server: str
    api: str
    token: str = field(default="", repr=False)
    variable: str = ""
    ca_file: str = ""

    @property
    def title(self) -> str:
        """What people call it."""
        return KINDS[self.kind][0]

    @property
    def job_token(self) -> bool:
        """Whether it is GitLab's job token: it reads merge requests and writes environments."""
        return self.variable == _JOB_TOKEN


def read(
    env: Mapping[str, str], ci: CIContext, *, is_file: Callable[[str], bool] = os.path.isfile
) -> ForgeSettings | None:
    """The forge that the variables name, or None where they name none; raises ConfigError."""
    given = env.get("ENVCTL_FORGE_URL", "").rstrip("/")
    kind = _kind(env, ci)
    if given and not kind:
        raise ConfigError(
            "ENVCTL_FORGE_URL is set, ENVCTL_FORGE_KIND is not.",
            why="Outside a CI job nothing else says what kind of forge it is.",
            next=f"Set ENVCTL_FORGE_KIND to one of {', '.join(KINDS)}.",
        )
    server = _without_api(given, kind) or ci.server
    if not (server and kind):
        return None
    own = server == ci.server  # the forge that runs the job
    api = ci.api if own and ci.api else _api(server, kind)
    for url, variable in ((server, "ENVCTL_FORGE_URL" if given else "the CI's server URL"),
                          (api, "the forge's API URL")):  # fmt: skip
        _check(url, variable, insecure=env.get("ENVCTL_FORGE_INSECURE") == "1")
    variable = _token_variable(env, kind, own=own)
    return ForgeSettings(
        kind, server, api, env.get(variable, "") if variable else "", variable,
        _ca_file(env, is_file, own=own),
    )  # fmt: skip


def _kind(env: Mapping[str, str], ci: CIContext) -> str:
    given = env.get("ENVCTL_FORGE_KIND", "").lower()
    if given:
        if given not in KINDS:
            raise ConfigError(
                f"ENVCTL_FORGE_KIND is {given[:40]!r}.",
                why="envctl does not know this kind of forge.",
                next=f"Set it to one of {', '.join(KINDS)}.",
            )
        return given
    if ci.system == "gitlab":
        return "gitlab"
    if ci.system != "actions":
        return ""
    if env.get("FORGEJO_ACTIONS") == "true":
        return "forgejo"
    if env.get("GITEA_ACTIONS") == "true":
        return "gitea"
    # GitHub's own API is below another host, or below /api/v3; that of the others below /api/v1.
    return "gitea" if ci.api.endswith("/api/v1") else "github"


def _without_api(url: str, kind: str) -> str:
    return url.removesuffix(KINDS[kind][1]) if url else ""


def _api(server: str, kind: str) -> str:
    if kind == "github" and server == _PUBLIC_GITHUB[0]:
        return _PUBLIC_GITHUB[1]
    return server + KINDS[kind][1]


def _token_variable(env: Mapping[str, str], kind: str, *, own: bool) -> str:
    """The variable to take the token from: the CI's tokens go to the CI's own forge only."""
    candidates = [_TOKEN]
    if own:
        candidates += [_JOB_TOKEN] if kind == "gitlab" else ["GITEA_TOKEN", "GITHUB_TOKEN"]
    return next((name for name in candidates if env.get(name)), "")


def _ca_file(env: Mapping[str, str], is_file: Callable[[str], bool], *, own: bool) -> str:
    given = env.get("ENVCTL_FORGE_CA_FILE", "")
    if given:
        if not is_file(given):
            raise ConfigError(
                f"ENVCTL_FORGE_CA_FILE names {given!r}, which is no file.",
                why="It is the PEM file of the CA that signed the forge's certificate.",
                next="Correct the path, or unset it if a public CA signed it.",
            )
        return given
    offered = env.get("CI_SERVER_TLS_CA_FILE", "") if own else ""
    return offered if offered and is_file(offered) else ""


def _check(url: str, variable: str, *, insecure: bool) -> None:
    """Raise ConfigError unless a token can be sent to the URL in secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    odd = parts.username or parts.password or parts.query or parts.fragment or "#" in url
    if not host or odd or parts.scheme not in ("https", "http"):
        raise ConfigError(
            f"{variable} is no URL of a forge.",
            why="It must be https://HOST[:PORT][/PREFIX], without user, password or query.",
            next="Correct it; the token goes into ENVCTL_FORGE_TOKEN.",
        )
    if parts.scheme == "http" and not (insecure or _loopback(host)):
        raise ConfigError(
            f"{variable} is {url}, without TLS.",
            why="The token would travel in the clear, for everybody on the way to read.",
            next="Use https, or set ENVCTL_FORGE_INSECURE=1 if the network itself is trusted.",
        )


def _loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
