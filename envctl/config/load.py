"""From envctl.yaml, the CI's variables and the options to one valid Spec and one Environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from envctl.config import components, duration, guardrails, names, validate, yamlfile
from envctl.config.settings import LOCAL_CONTEXTS
from envctl.config.substitute import UnknownVariable, substitute
from envctl.errors import ConfigError
from envctl.model.environment import Environment
from envctl.model.settling import WINDOW
from envctl.model.spec import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envctl.config.ci import CIContext
    from envctl.config.settings import Settings
    from envctl.config.yamlfile import Document

FILE = "envctl.yaml"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What planning starts from: pure data, no clock and no network behind it."""

    spec: Spec
    environment: Environment
    ci: CIContext


def find_root(file: Path) -> Path:
    """The repository a file is in: the nearest folder with .git, else the file's own folder."""
    for folder in (file.parent, *file.parent.parents):
        if (folder / ".git").exists():
            return folder
    return file.parent


def read(file: Path) -> Document:
    """Read envctl.yaml and check its shape; raises ConfigError that lists all that is wrong."""
    within(file)
    document = yamlfile.load(file)
    validate.check(document)
    return document


def within(file: Path) -> None:
    """Raise ConfigError for a link that leads out: a file that is wrong is shown in the error."""
    root = find_root(file.absolute()).resolve()
    if not file.resolve().is_relative_to(root):
        raise ConfigError(
            f"{file} leads outside the repository.",
            why=f"It is a link, and the repository is {root.name!r}.",
            next="Put the file itself there.",
        )


def load(document: Document, settings: Settings, ci: CIContext, ingress: str = "") -> Loaded:
    """Resolve envctl.yaml for one environment; raises ConfigError that lists all that is wrong.

    ``ingress`` is the URL under which the chosen cluster's ingress controller answers, where that
    is known (the embedded cluster's), for the port of ``*.localhost`` hosts.
    """
    raw: dict[str, Any] = document.value
    environment = _environment(document, _project(document, settings), settings, ci, ingress)
    known = _variables(environment, ci, {})
    images = {
        name: _one(document, ("images", name), str(reference), known)
        for name, reference in raw.get("images", {}).items()
    }
    variables = _variables(environment, ci, {**images, **settings.images})
    resolved = _substitute(document, variables)
    spec = _spec(document, resolved, environment, settings)
    return Loaded(spec, environment, ci)


def identify(settings: Settings, ci: CIContext, project: str = "") -> Environment:
    """The environment that ``--project`` and ``--name`` mean, where no file is needed."""
    if not (settings.project or project):
        raise ConfigError(
            "No project is named.",
            why=f"There is no {FILE} here, and neither --project nor ENVCTL_PROJECT is set.",
            next="Add --project, or run it where envctl.yaml is.",
        )
    chosen = names.check_label("project", settings.project or project, names.MAX_PROJECT)
    name = names.check_label("environment", settings.name or ci.default_name(), names.MAX_NAME)
    return Environment(
        project=chosen,
        name=name,
        namespace=names.namespace(chosen, name),
        owner=ci.owner,
        commit=ci.commit,
        pipeline=ci.pipeline,
        merge_request=ci.merge_request,
        forge_project=str(ci.forge_project or ""),
    )


def _project(document: Document, settings: Settings) -> str:
    try:
        return settings.project or names.check_label(
            "project", document.value["project"], names.MAX_PROJECT
        )
    except ConfigError as error:
        message = validate.at(document, ("project",), str(error))
        raise validate.problems(document, [message]) from error


def _environment(
    document: Document, project: str, settings: Settings, ci: CIContext, ingress: str
) -> Environment:
    found = identify(settings, ci, project)
    section = document.value.get("environment", {})
    lifetime = section.get("lifetime", {})
    base = _variables(found, ci, {})
    base.pop("host"), base.pop("url")
    host = _host(document, _one(document, ("environment", "host"), section.get("host", ""), base))
    url = _one(
        document, ("environment", "url"), section.get("url", ""), {**base, "host": host}
    ) or _default_url(host, ingress)
    ttl, max_age = settings.limits.lifetime(
        _seconds(document, ("environment", "lifetime", "ttl"), lifetime.get("ttl", "72h")),
        _seconds(document, ("environment", "lifetime", "max"), lifetime.get("max", "14d")),
    )
    return replace(
        found,
        host=host,
        url=url,
        ttl=ttl,
        max_age=max_age,
    )


def _host(document: Document, host: str) -> str:
    """The host if it is a DNS name (RFC 1123): a branch's name may have come into it."""
    if not host or (len(host) <= 253 and _HOST.fullmatch(host)):
        return host
    message = f"environment.host becomes {validate.shown(host)}, which is no host name."
    raise validate.problems(document, [validate.at(document, ("environment", "host"), message)])


def _default_url(host: str, ingress: str) -> str:
    if not host:
        return ""
    if host.endswith(".localhost"):
        port = ingress.rpartition(":")[2].rstrip("/") if ingress.count(":") > 1 else ""
        return f"http://{host}:{port}/" if port else f"http://{host}/"
    return f"https://{host}/"


def _variables(
    environment: Environment, ci: CIContext, images: Mapping[str, Any]
) -> dict[str, str]:
    return {
        "project": environment.project,
        "name": environment.name,
        "namespace": environment.namespace,
        "host": environment.host,
        "url": environment.url,
        "branch": ci.branch,
        "commit": environment.commit,
        "pipeline": environment.pipeline,
        "mergeRequest": environment.merge_request,
        "owner": environment.owner,
        **{f"image.{name}": str(reference) for name, reference in images.items()},
    }


def _one(
    document: Document, path: tuple[str, ...], value: str, variables: Mapping[str, str]
) -> str:
    try:
        return str(substitute(value, variables))
    except UnknownVariable as error:
        message = validate.at(document, path, f"{validate.dotted(path)}: {error}.")
        raise validate.problems(document, [message]) from error


def _substitute(document: Document, variables: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wrong: list[str] = []

    def walk(value: Any, path: yamlfile.PathKey) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        try:
            return substitute(value, variables)
        except UnknownVariable as error:
            wrong.append(validate.at(document, path, f"{validate.dotted(path)}: {error}."))
            return value

    for key, value in document.value.items():
        found[key] = walk(value, (key,))
    if wrong:
        raise validate.problems(document, wrong)
    return found


def _seconds(document: Document, path: yamlfile.PathKey, value: str | int) -> float:
    try:
        return duration.seconds(value, what=validate.dotted(path))
    except ConfigError as error:
        message = validate.at(document, path, str(error))
        raise validate.problems(document, [message]) from error


def _spec(
    document: Document, raw: dict[str, Any], environment: Environment, settings: Settings
) -> Spec:
    root = find_root(document.path.resolve())
    reader = components.Reader(document, root)
    parts = settings.limits.components(reader.components(raw["components"]))
    checks = settings.limits.checks(reader.checks(raw.get("checks", [])))
    reader.finish()
    cluster = raw.get("cluster", {})
    section = raw.get("environment", {})
    lifetime = section.get("lifetime", {})
    return Spec(
        path=document.path,
        root=root,
        project=environment.project,
        context=cluster.get("context", ""),
        allowed_contexts=tuple(cluster.get("allowed", LOCAL_CONTEXTS)),
        host=environment.host,
        url=environment.url,
        ingress_class=section.get("ingressClass", ""),
        ttl=environment.ttl,
        idle=_seconds(document, ("environment", "lifetime", "idle"), lifetime.get("idle", "0")),
        max_age=environment.max_age,
        guardrails=guardrails.of(section, settings),
        components=parts,
        checks=checks,
        settle=settings.settle
        if settings.settle is not None
        else _seconds(document, ("environment", "settle"), section.get("settle", f"{WINDOW:.0f}s")),
    )
