"""One connection pool to one forge: TLS, timeouts, redirects and the token are decided here.

Both adapters send through it. The token is given to the API's own address and to nothing else,
whatever a redirect or a link to the next page says.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx

from envctl import __version__
from envctl.adapters.forge import answers
from envctl.errors import ConfigError
from envctl.ports import attempt
from envctl.ports.forge import ForgeUnavailable

if TYPE_CHECKING:
    from envctl.adapters.forge.answers import Asked
    from envctl.config.forge import ForgeSettings

#: Seconds that one request may take, from connecting to the last byte.
REQUEST_TIMEOUT = 15.0
#: Bytes of an answer; a page of a hundred long notes is far below it.
LARGEST = 16 * 1024 * 1024
REDIRECTS = 3
CONNECTIONS = 8
_MOVED = {301, 302, 307, 308}
_SAME_METHOD = {307, 308}


class Channel:
    """Sends requests to the API below ``settings.api``; opened by the first."""

    def __init__(self, settings: ForgeSettings, headers: dict[str, str]) -> None:
        self.settings = settings
        self._headers = headers
        self._client: httpx.AsyncClient | None = None

    async def send(
        self,
        asked: Asked,
        method: str,
        url: str,
        *,
        params: dict[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One request, not retried, and its answer, complete and with a status of 2xx.

        Raises ForgeUnavailable (an Outage where trying again may help), ForgeForbidden,
        ForgeNotFound.
        """
        sent = (
            {"content": content, "headers": {"Content-Type": "application/json"}}
            if (content is not None)
            else {"json": body}
        )
        for _ in range(REDIRECTS + 1):
            self._check_address(url, asked)
            response = await self._once(asked, method, url, params=params or None, **sent)
            if response.is_success:
                return response
            follows = _SAME_METHOD if method.upper() != "GET" else _MOVED
            target = _target(url, response)
            if response.status_code not in follows or not self._is_ours(target):
                break
            url, params = target, None  # where it goes, the question goes along
        raise answers.error_of_status(response, asked)

    async def _once(self, asked: Asked, method: str, url: str, **sent: Any) -> httpx.Response:
        client = self._open()
        try:
            async with (
                asyncio.timeout(attempt.remaining(REQUEST_TIMEOUT)),
                client.stream(method, url, **sent) as answer,
            ):
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST:
                        raise answers.incomplete(asked, "is too long to be one")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise answers.error_of_connection(error, asked) from error
        # The body is decoded by now; what said how it was encoded would be obeyed a second time.
        dropped = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(k, v) for k, v in answer.headers.multi_items() if k.lower() not in dropped]
        return httpx.Response(
            answer.status_code, headers=headers, content=bytes(content), request=answer.request
        )

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={"User-Agent": f"envctl/{__version__}", "Accept": "application/json",
                         **self._headers},
                verify=_trust(self.settings),
                timeout=REQUEST_TIMEOUT,
                limits=httpx.Limits(max_connections=CONNECTIONS),
                follow_redirects=False,
            )  # fmt: skip
        return self._client

    def _is_ours(self, url: str) -> bool:
        """Whether a URL is below the API's own, and so may be sent the token."""
        try:
            ours, other = httpx.URL(self.settings.api + "/"), httpx.URL(url)
        except httpx.InvalidURL:
            return False
        same = (ours.scheme, ours.host, ours.port) == (other.scheme, other.host, other.port)
        path = other.path
        return same and path.startswith(ours.path) and "/../" not in path and not other.userinfo

    def _check_address(self, url: str, asked: Asked) -> None:
        if not self._is_ours(url):
            raise ForgeUnavailable(
                asked.what,
                why="It names an address outside its own API for the rest of the answer.",
                next="Check the external URL in the forge's settings.",
            )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _target(url: str, response: httpx.Response) -> str:
    """Where a redirect leads; to nowhere, if it is no URL."""
    try:
        return urljoin(url, str(response.headers.get("location", "")))
    except ValueError:
        return ""


def _trust(settings: ForgeSettings) -> ssl.SSLContext:
    """The system's CAs, the ones that come with httpx, and the one that the settings name."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if settings.ca_file:
        try:
            context.load_verify_locations(settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"The CA file {settings.ca_file} cannot be used.",
                why=f"It is not a PEM file that can be read: {error}.",
                next="Correct ENVCTL_FORGE_CA_FILE.",
            ) from error
        # A CA made by hand often lacks the extensions that Python 3.13 began to insist on.
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    return context
