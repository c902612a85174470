"""What a forge answered, or did not: a complete document, or an error in the port's words."""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from envctl.adapters.retrying import Transient
from envctl.ports.forge import ForgeForbidden, ForgeNotFound, ForgeUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from envctl.config.forge import ForgeSettings
    from envctl.errors import EnvctlError

#: Statuses after which the same request may succeed; 409 is GitLab's lock on a row.
_TRANSIENT = frozenset({408, 409, 425, 429})


class Outage(Transient, ForgeUnavailable):
    """No sensible answer, but the next one may be."""


class Unauthenticated(ForgeForbidden):
    """401: the token is none, or none any more."""


class Rejected(ForgeUnavailable):
    """The forge understood the request and would not have it; ``said`` is its message."""

    said = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is for: ``doing`` completes "GitLab did not …", ``needs`` names the scope."""

    settings: ForgeSettings
    doing: str
    needs: str

    @property
    def what(self) -> str:
        """The first sentence of every error."""
        return f"{self.settings.title} did not {self.doing}."


def error_of_connection(error: Exception, asked: Asked) -> EnvctlError:
    """The network's error; only what may pass is transient."""
    server = asked.settings.api
    untrusted = _untrusted(error)
    if untrusted:
        return ForgeUnavailable(
            asked.what,
            why=f"The certificate of {server} is not trusted: {untrusted}.",
            next="Name the PEM file of its CA in ENVCTL_FORGE_CA_FILE.",
        )
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        why = f"{server} did not answer in time."
    else:
        why = f"The connection to {server} failed: {_line(error) or type(error).__name__}."
    return Outage(asked.what, why=why, next="Try again when the forge is back.")


def _untrusted(error: BaseException) -> str:
    """What is wrong with the certificate, where that is what an error comes from."""
    cause: BaseException | None = error
    for _ in range(10):  # a chain of causes may close to a circle
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        cause = cause and (cause.__cause__ or cause.__context__)
    return ""


def error_of_status(response: httpx.Response, asked: Asked) -> EnvctlError:
    """The error that a status other than 2xx stands for."""
    status, said = response.status_code, _said(response, asked)
    if status == 401:
        held = "does not accept the token" if asked.settings.token else "wants a token"
        return Unauthenticated(asked.what, why=f"It {held}{said}.", next=_token_advice(asked))
    if status in _TRANSIENT or status >= 500 or (status == 403 and _limited(response.headers)):
        return _outage(response, asked, said)
    if status == 403:
        return ForgeForbidden(asked.what, why=f"The token may not do it{said}.",
                              next=asked.needs)  # fmt: skip
    if status in (404, 410):
        return ForgeNotFound(
            asked.what,
            why=f"It says that there is no such thing, or none that the token may see{said}.",
            next=f"Check the project. {asked.needs}",
        )
    if 300 <= status < 400:
        return ForgeUnavailable(
            asked.what,
            why=f"{asked.settings.api} sends to another page instead of answering.",
            next="Check that no sign-in page or proxy stands before the API.",
        )
    rejected = Rejected(
        asked.what,
        why=f"It refused the request with {status}{said}.",
        next="Check the forge's version and the project's settings.",
    )
    rejected.said = said
    return rejected


def complete(response: httpx.Response, asked: Asked, shape: type) -> Any:
    """The JSON document of an answer; raises Outage unless it is whole and of that shape."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        html = "html" in response.headers.get("content-type", "") or "<html" in response.text[:500]
        kind = "a web page" if html else "not a whole JSON document"
        raise _unfit(asked, f"Its answer is {kind}") from error
    if not isinstance(document, shape):
        raise _unfit(asked, f"Its answer is a JSON {type(document).__name__}, "
                     f"not a {shape.__name__}")  # fmt: skip
    return document


def incomplete(asked: Asked, what: str) -> Outage:
    """The answer lacks something, or is about something else; then it is none."""
    return _unfit(asked, f"Its answer {what}")


def _unfit(asked: Asked, why: str) -> Outage:
    return Outage(
        asked.what,
        why=f"{why}, so something in between may have given it.",
        next=f"Check what answers at {asked.settings.api}, and try again.",
    )


def _outage(response: httpx.Response, asked: Asked, said: str) -> Outage:
    after = retry_after(response.headers)
    status = response.status_code
    busy = status in (403, 429)
    why = "It has had too many requests" if busy else f"It answered {status}"
    wait = f" and asks for {after:.0f} s of patience" if after else ""
    return Outage(asked.what, why=f"{why}{wait}{said}.",
                  next="Try again when the forge is back.", after=after)  # fmt: skip


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks to wait, by Retry-After in either form; 0 where it does not."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())


def _limited(headers: Mapping[str, str]) -> bool:
    """GitHub says 403 where others say 429."""
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _token_advice(asked: Asked) -> str:
    variable = asked.settings.variable
    if not variable:
        return f"Set ENVCTL_FORGE_TOKEN. {asked.needs}"
    if asked.settings.job_token:
        return "CI_JOB_TOKEN is good for as long as its job runs; set ENVCTL_FORGE_TOKEN."
    return f"Renew the token in {variable}: it may have expired or been revoked. {asked.needs}"


def _said(response: httpx.Response, asked: Asked) -> str:
    """The forge's own message, in brackets, where it gave one."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    parts = (document.get(key) for key in ("message", "error_description", "error"))
    text = next((part for part in map(_text, parts) if part), "")
    if asked.settings.token:
        text = text.replace(asked.settings.token, "[token]")
    return f" ({text[:200]})" if text else ""


def _text(value: object) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return _line(value).rstrip(".") if value else ""


def _line(value: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
