"""A first envctl.yaml with its comments, from what `init` found: text, and valid as it stands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from envctl.config import names
from envctl.config.schema import API_VERSION
from envctl.config.settings import LOCAL_CONTEXTS

if TYPE_CHECKING:
    from envctl.model.found import Findings, Part

#: A name that the format knows, but that nothing else may be called.
_RESERVED = frozenset({"guardrails"})
#: What stands for itself in YAML's flow style, whatever a parser makes of words and numbers.
_PLAIN = re.compile(r"[A-Za-z./_][-A-Za-z0-9./_*]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"})

_HEAD = """\
# What envctl deploys for every merge request. `envctl validate` checks this file, `envctl up` makes
# an environment of it, `envctl schema` prints everything that may stand here.
apiVersion: {version}
project: {project}
"""
_CLUSTER = """\
cluster:
  context: {context}
  allowed: {allowed}  # any other is refused
"""
_NO_CONTEXT = """\
cluster:
  # context: {context}  # without it, the kubeconfig's current one, or what the pipeline says
  allowed: {allowed}  # any other is refused
"""
_NO_CLUSTER = """\
# cluster:
#   context: preview    # without it, the kubeconfig's current one
#   allowed: [preview]  # without this list, only clusters on this machine
"""
_ENVIRONMENT = """\
environment:
  host: "${namespace}.@DOMAIN@"@NOTE@
  lifetime: {ttl: 72h, max: 14d}
  # quota: {requests.cpu: "4", requests.memory: 8Gi, pods: "60"}
  # access: {egress: [dns, same-environment]}  # add internet, if a part calls out
"""
_CHECKS = """\
# checks:
#   - {name: smoke, job: tests/smoke.yaml}  # a Job whose success says that the environment works
"""


def label(text: str, maximum: int = names.MAX_PROJECT) -> str:
    """A valid name for a project or component, of any text."""
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not found[:1].isalpha():
        found = f"app-{found}".rstrip("-")
    found = found[:maximum].rstrip("-")
    return f"{found[: maximum - 4]}-app" if found in _RESERVED else found


def text(findings: Findings, *, context: str = "", pipeline: str = "", domain: str = "") -> str:
    """The file; ``context`` is the cluster to write down, ``pipeline`` the one that the CI uses.

    ``domain`` is what the hosts of environments have in common; each may be empty.
    """
    head = _HEAD.format(version=API_VERSION, project=findings.project)
    allowed = _list((context or pipeline, *LOCAL_CONTEXTS))
    cluster = _NO_CLUSTER
    if context:
        cluster = _CLUSTER.format(context=_scalar(context), allowed=allowed)
    elif pipeline:
        cluster = _NO_CONTEXT.format(context=_scalar(pipeline), allowed=allowed)
    parts = "".join(_part(part) for part in findings.components)
    checks = "".join(_part(part) for part in findings.checks)
    return (
        head
        + cluster
        + _ENVIRONMENT.replace("@DOMAIN@", domain or "localhost").replace(
            "@NOTE@", "" if domain else "  # on a shared cluster below a wildcard of its own"
        )
        + f"components:\n{parts}"
        + (f"checks:\n{checks}" if checks else _CHECKS)
    )


def _part(part: Part) -> str:
    lines = [f"  - name: {part.name}  # {_comment(part.why)}"]
    if part.needs:
        lines.append(f"    needs: {_list(part.needs)}")
    lines.append(f"    {_source(part)}")
    if part.expose:
        service, port = part.expose
        value = port if isinstance(port, int) else _scalar(port)
        lines.append(f"    expose: {{service: {_scalar(service)}, port: {value}}}")
    return "".join(f"{line}\n" for line in lines)


def _source(part: Part) -> str:
    if part.type == "helm":
        values = f", values: {_list(part.values)}" if part.values else ""
        return f"helm: {{chart: {_scalar(part.path)}{values}}}"
    if part.type == "manifests":
        return f"manifests: {_list(part.files)}"
    return f"{part.type}: {_scalar(part.path)}"


def _list(items: tuple[str, ...]) -> str:
    return f"[{', '.join(_scalar(item) for item in items)}]"


def _scalar(value: str) -> str:
    """A text as YAML: bare where that is the same to every parser, else quoted as in JSON."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and ".." not in value:
        return value
    # ${…} is envctl's own; a path that has one is written so that it stays a path.
    return json.dumps(re.sub(r"\$(?=\{[^}]*\})", "$$", value), ensure_ascii=False)


def _comment(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
