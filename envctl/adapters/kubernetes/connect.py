"""Which cluster: kubeconfig files, contexts, the embedded cluster's own, service accounts."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from envctl.adapters.kubernetes import library
from envctl.adapters.kubernetes.translate import bad_kubeconfig
from envctl.adapters.sources.objects import UNREADABLE
from envctl.config import yamlfile
from envctl.errors import ConfigError, EnvctlError
from envctl.model.shapes import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_CLUSTER = "in-cluster"
_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
#: The extension of a kubeconfig context that says where the ingress controller answers.
INGRESS_EXTENSION = "envctl.dev/ingress"
#: The library keeps what a kubeconfig holds in files that all its clients share.
_files_in_use = asyncio.Lock()


@dataclass(frozen=True, slots=True)
class Target:
    """A context and the kubeconfig files it is found in (as KUBECONFIG lists them)."""

    context: str
    kubeconfig: str
    ingress: str = ""


def files(env: Mapping[str, str], extra: tuple[Path, ...]) -> list[Path]:
    """The user's kubeconfig files, then those of running embedded clusters."""
    listed = env.get("KUBECONFIG") or str(Path(env.get("HOME", "~")).expanduser() / ".kube/config")
    own = [Path(part).expanduser() for part in listed.split(os.pathsep) if part]
    return [path for path in (*own, *extra) if path.is_file()]


def read(path: Path) -> dict[str, Any]:
    """A kubeconfig as it is; raises ConfigError for one that cannot be read."""
    try:
        text = path.read_text()
        yamlfile.refuse_depth(text)
        found = yaml.load(text, Loader=yamlfile.FAST)  # noqa: S506 - safe, and in C where it is to be had
    except (OSError, *UNREADABLE) as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise bad_kubeconfig(str(path), said[0]) from error
    if not isinstance(found, dict):
        raise bad_kubeconfig(str(path), "It is not a mapping")
    for key in ("cluster", "user", "context"):
        items = found.get(f"{key}s") or []
        if not isinstance(items, list) or not all(_is_entry(item, key) for item in items):
            raise bad_kubeconfig(
                str(path), f"Its {key}s are not a list of mappings with name and {key}"
            )
    if not isinstance(found.get("current-context") or "", str):
        raise bad_kubeconfig(str(path), "Its current-context is no text")
    return found


def _is_entry(item: Any, key: str) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get(key) or {}, dict):
        return False
    return isinstance(item.get("name", ""), str)


def _contexts(config: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    items = config.get("contexts") or []
    return [(item.get("name", ""), item.get("context") or {}) for item in items]


def choose(wanted: str, env: Mapping[str, str], extra: tuple[Path, ...]) -> Target:
    """The context to use; raises ConfigError where it does not exist and says what does."""
    candidates = files(env, extra)
    known: dict[str, Any] = {}
    current = ""
    for path in candidates:
        config = read(path)
        if path not in extra:
            current = current or config.get("current-context") or ""
        for name, found in _contexts(config):
            known.setdefault(name, found)
    context = wanted or current or _fallback(known)
    if context == IN_CLUSTER or (not context and _TOKEN.exists()):
        return Target(IN_CLUSTER, "")
    if context not in known:
        raise _unknown(context, sorted(known))
    return Target(context, os.pathsep.join(map(str, candidates)), _ingress(known[context]))


def _fallback(known: dict[str, Any]) -> str:
    return "envctl-local" if "envctl-local" in known else ""


def _unknown(context: str, known: list[str]) -> ConfigError:
    if not context:
        return ConfigError(
            "There is no cluster to work on.",
            why="No kubeconfig has a current context, and --context names none.",
            next="Start the embedded cluster with `envctl local start`, or name a --context.",
        )
    hint = " Start it with `envctl local start`." if context.startswith("envctl-local") else ""
    return ConfigError(
        f"The context {context!r} does not exist.",
        why=f"The kubeconfig knows {', '.join(known)}." if known else "The kubeconfig is empty.",
        next=f"Choose one with --context or set KUBECONFIG.{hint}",
    )


def _ingress(context: dict[str, Any]) -> str:
    for item in mappings(context.get("extensions")):
        if item.get("name") == INGRESS_EXTENSION:
            return str(mapping(item.get("extension")).get("url", ""))
    return ""


def _check(target: Target) -> None:
    """Raise Refused for a context that is not to be acted upon (see ``trust``)."""
    from envctl.adapters.kubernetes import kubeconfig, trust

    if target.context != IN_CLUSTER:
        trust.check_user(*kubeconfig.user_of(target))
        trust.check_server(kubeconfig.entry(target)[0])


@dataclass(slots=True)
class Connection:
    """The library's pool of connections with the credential of one context.

    Its own client above them is for the generated models, which cost more to import and to fill
    than the rest of a run.
    """

    configuration: Any
    rest: Any
    headers: dict[str, str]

    async def authorization(self) -> dict[str, str]:
        """The header that carries the credential; renewed by the library when it must be."""
        found = (await self.configuration.auth_settings()).get("BearerToken")
        return {found["key"]: found["value"]} if found else {}

    async def close(self) -> None:
        """Close the connections."""
        await self.rest.close()


async def open_client(target: Target, agent: str) -> Connection:
    """The way to a context's server; raises ConfigError, Refused, or what the exec plugin said.

    ``agent`` is what the audit log shall show as the User-Agent.
    """
    _check(target)
    client_module, rest_module = library.load("client"), library.load("client.rest")
    files_module = library.load("config.kube_config")
    refused = library.load("config.config_exception").ConfigException

    configuration = client_module.Configuration()
    configuration.retries = False  # our own policy, which is visible
    # Watches and logs each keep a connection for as long as they last; ordinary requests are
    # bounded where they are made. A pool that is full would wait without a word.
    configuration.connection_pool_maxsize = 1000
    try:
        async with _files_in_use:
            try:
                user = await _configure(target, configuration)
                rest = rest_module.RESTClientObject(configuration)
            finally:  # it has read them; a run that is killed must not leave a private key behind
                files_module._cleanup_temp_files()  # noqa: SLF001 - else at exit alone
    except (refused, ssl.SSLError) as error:
        raise bad_kubeconfig(f"for context {target.context!r}", error) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_credential(target.context, error) from error
    headers = {"User-Agent": agent}
    if user.get("as"):  # the library would ignore it and act as the person behind
        headers["Impersonate-User"] = user["as"]
    return Connection(configuration, rest, headers)


async def _configure(target: Target, configuration: Any) -> dict[str, Any]:
    """Fill the configuration from the context; the context's user as the kubeconfig has it."""
    config = library.load("config")
    if target.context == IN_CLUSTER:
        config.load_incluster_config(client_configuration=configuration)
        return {}
    loader = await config.load_kube_config(
        config_file=target.kubeconfig,
        context=target.context,
        client_configuration=configuration,
        persist_config=False,
    )
    return loader._user.value if loader._user else {}  # noqa: SLF001 - no other way to it


def _no_credential(context: str, error: Exception) -> EnvctlError:
    return ConfigError(
        f"The credential of context {context!r} could not be had.",
        why=f"{type(error).__name__}: {str(error)[:300]}.",
        next="Log in again, or run the exec plugin of the kubeconfig by hand to see what it says.",
    )
