"""The API server's Status objects and aiohttp's errors, as errors that a person can act on.

Reasons are those of k8s.io/apimachinery's StatusReason.
"""

from __future__ import annotations

import json
import re
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from envctl.adapters.kubernetes.library import aiohttp
from envctl.adapters.retrying import Transient
from envctl.errors import ConfigError, EnvctlError, Forbidden, Refused, Unavailable
from envctl.model import creation, immutable
from envctl.ports.cluster import (
    AlreadyExists,
    Conflict,
    FieldConflict,
    Invalid,
    NotFound,
    QuotaExceeded,
    Terminating,
    WebhookDown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<namespace>[^"]+)")?'
)
#: What a conflict of versions says (k8s.io/apiserver registry.OptimisticLockErrorMsg).
_MODIFIED = "the object has been modified"
#: Rules of a refused Role that are shown.
_RULES = 3
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]+)"')


class _Webhook(Transient, WebhookDown):
    """Trying again helps once what serves the webhook is back."""


class Expired(EnvctlError):
    """410: the resource version of a watch or a page is too old."""


def status_of(body: bytes) -> dict[str, Any]:
    """The Status in an error's body; an HTML page of a proxy in between gives an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def error_for(
    code: int,
    body: bytes,
    headers: Mapping[str, str],
    doing: str,
    context: str,
    *,
    repeatable: bool = False,
) -> EnvctlError:
    """The error for an answer that is not 2xx. ``doing`` completes 'could not …'.

    ``repeatable``: the request named no version, so that a conflict is one inside the server,
    about an object that changed under it, and the same request may succeed next time.
    """
    status = status_of(body)
    message = str(status.get("message", ""))[:2000]
    what = f"The cluster did not {doing}."
    why = _sentence(message or body[:200].decode(errors="replace") or f"It answered {code}")
    refused = _of_admission(what, message)
    if refused:
        return refused
    if code == 401:
        return _expired_credential(context, what)
    if code == 403 and _terminating(status):
        return Terminating(what, why=why, next="Run the command again when it is gone.")
    if code == 403:
        return _forbidden(what, message, why)
    if code == 404:
        return NotFound(what, why=why, next="Check the name, or create it first.")
    if code == 409:
        return _conflict(what, why, status, repeatable=repeatable)
    if code == 410:
        return Expired(what, why=why)
    if code == 429 or code >= 500:
        after = headers.get("Retry-After", "0")
        return Transient(
            what,
            why=f"It answered {code}: {why}",
            next="Try again; if it lasts, look at the API server's health (`envctl doctor`).",
            after=float(after) if after.isdigit() else 0.0,
        )
    return Invalid(
        what,
        why=why,
        next="Correct the object that is named above.",
        fixed=immutable.fixed(_causes(status)),
    )


def _of_admission(what: str, message: str) -> EnvctlError | None:
    """What a policy or a webhook refused, with whatever code, or could not be asked about."""
    policy = creation.POLICY.search(message)
    if policy:
        return Refused(
            what,
            why=_sentence(policy["why"]),
            next=f"The cluster's administrator has set this limit (ValidatingAdmissionPolicy "
            f"{policy['name']}): keep within it, or ask for another.",
        )
    denied, down = creation.DENIED.search(message), creation.DOWN.search(message)
    if denied:
        return Refused(
            what,
            why=f"The admission webhook {denied['name']} refuses it: {_sentence(denied['why'])}",
            next=f"Change the object to {creation.ALLOWED_BY_WEBHOOK}",
        )
    if down:
        return _Webhook(
            what,
            why=f"The admission webhook {down['name']}, which must see it, cannot be called: "
            f"{_sentence(down['why'])}",
            next=creation.START_WEBHOOK,
        )
    return None


def _conflict(what: str, why: str, status: dict[str, Any], *, repeatable: bool) -> EnvctlError:
    if status.get("reason") == "AlreadyExists":
        return AlreadyExists(what, why=why, next="Choose another name.")
    if repeatable and _MODIFIED in why:
        return Transient(what, why=why, next="Run the command again.")
    return Conflict(what, why=why, managers=_managers(status))


def _terminating(status: Mapping[str, Any]) -> bool:
    """Whether the namespace was the reason (k8s.io/api/core/v1 NamespaceTerminatingCause)."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in _causes(status))


def _causes(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = status.get("details")
    found = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in found if isinstance(cause, dict)] if isinstance(found, list) else []


def date_of(headers: Mapping[str, str], now: float) -> tuple[datetime, float] | None:
    """When the server says that it answered, with ``now``; None where it says nothing sensible."""
    try:
        found = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return (found.astimezone(UTC), now) if found.tzinfo else None


def error_of_connection(error: BaseException, host: str, context: str) -> EnvctlError:
    """The error for a request that got no answer."""
    what = f"The cluster of context {context!r} does not answer."
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLError):
        return Unavailable(
            f"The certificate of the cluster of context {context!r} is not accepted.",
            why=_sentence(f"For {host}: {error}"),
            next="Check certificate-authority in the kubeconfig; envctl never skips verification.",
        )
    if isinstance(error, TimeoutError):
        return Transient(
            what,
            why=f"{host} took the connection or the request and was silent.",
            next="Check the network or VPN, then run the command again.",
        )
    return Transient(
        what,
        why=_sentence(f"{host}: {error}" if str(error) else f"{host}: {type(error).__name__}"),
        next="Start the cluster (`envctl local start`) or check the network, then run it again.",
    )


def _expired_credential(context: str, what: str) -> EnvctlError:
    return Refused(
        what,
        why=f"It does not accept the credential of context {context!r} (401 Unauthorized): "
        "it is expired, revoked or for another cluster.",
        next="Log in again or renew the token in the kubeconfig, then run the command again.",
    )


def _forbidden(what: str, message: str, why: str) -> EnvctlError:
    if "exceeded quota" in message:
        return QuotaExceeded(
            what,
            why=why,
            next="Ask for less, or raise environment.quota in envctl.yaml.",
        )
    if "attempting to grant RBAC permissions not currently held" in message:
        return _escalation(what, message)
    match = _FORBIDDEN.search(message)
    if not match:
        return Refused(what, why=why, next="An admission rule of the cluster forbids it.")
    where = f"in the namespace {match['namespace']!r}" if match["namespace"] else "in the cluster"
    rule = (
        f'{{apiGroups: ["{match["group"]}"], resources: ["{match["resource"]}"], '
        f'verbs: ["{match["verb"]}"]}}'
    )
    kind = "Role" if match["namespace"] else "ClusterRole"
    return Forbidden(
        what,
        why=f"{match['user']!r} may not {match['verb']} {match['resource']} {where}.",
        next=f"An administrator adds this rule to its {kind}: {rule}.",
    )


def _escalation(what: str, message: str) -> Forbidden:
    """RBAC lets nobody grant more than they hold; the server lists every rule that lacks."""
    rules = re.findall(r"\{[^{}]*\}", message)
    more = f" and {len(rules) - _RULES} more" if len(rules) > _RULES else ""
    return Forbidden(
        what,
        why=f"The credential would grant what it may not do itself: "
        f"{', '.join(rules[:_RULES])}{more}.",
        next="An administrator adds these rules to the credential's own role; `envctl doctor` "
        "lists them all.",
    )


def _managers(status: dict[str, Any]) -> tuple[FieldConflict, ...]:
    found = []
    for cause in _causes(status):
        match = _MANAGER.search(str(cause.get("message", "")))
        if cause.get("reason") == "FieldManagerConflict" and match:
            found.append(FieldConflict(match["manager"], str(cause.get("field", ""))))
    return tuple(found)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def bad_kubeconfig(where: str, why: object) -> ConfigError:
    """A kubeconfig that cannot be used at all."""
    return ConfigError(
        f"The kubeconfig {where} cannot be used.",
        why=_sentence(str(why)),
        next="Correct it, or name another with KUBECONFIG or --context.",
    )
