"""The machine that envctl runs on, for ``doctor``; see ``envctl.ports.machine.Machine``."""

from __future__ import annotations

import base64
import binascii
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envctl.adapters import tools
from envctl.adapters.kubernetes import connect, kubeconfig
from envctl.errors import EnvctlError
from envctl.model import certificate
from envctl.ports.machine import Tool

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from envctl.adapters.kubernetes.connect import Target
    from envctl.model.kubeconfig import Config

#: Seconds that a tool may take to say its version.
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class LocalMachine:
    """Tools are looked for on PATH and in ``folders``; without a target there is no credential."""

    target: Target | None
    folders: Sequence[Path]

    async def helm(self) -> Tool:
        """Helm, and whether it is new enough."""
        from envctl.adapters.sources.helm_command import Helm

        path = tools.find("helm", self.folders)
        if not path:
            return Tool("helm")
        try:
            command = Helm(None, self.folders)
            await command.parsed_version()
            return Tool("helm", path, (await command.version()).strip())
        except EnvctlError as error:
            return Tool("helm", path, problem=f"{error.what} {error.why}")

    async def kustomize(self) -> Tool:
        """Kustomize, or the one inside kubectl."""
        path = tools.find("kustomize", self.folders)
        if path:
            return await _version("kustomize", [path, "version"])
        path = tools.find("kubectl", self.folders)
        return await _version("kubectl", [path, "version", "--client"]) if path else Tool("")

    def credential_end(self) -> dt.datetime | None:
        """Until when the credential is good; None where it does not say."""
        if self.target is None:
            return None
        if self.target.context == connect.IN_CLUSTER:
            return None  # the kubelet renews it
        user, file = kubeconfig.user_of(self.target)
        token = user.get("token") or _text(user.get("tokenFile"), file)
        if token:
            return certificate.token_end(token)
        return _certificate_end(user, file)


async def _version(name: str, command: list[str]) -> Tool:
    try:
        done = await tools.run(command, timeout=TIMEOUT)
    except (EnvctlError, OSError) as error:
        return Tool(name, command[0], problem=f"{name} does not run: {error}")
    if done.code:
        return Tool(name, command[0], problem=f"{name} does not run: {done.stderr.strip()[:200]}")
    lines = done.stdout.decode(errors="replace").split("\n")
    return Tool(name, command[0], lines[0].rpartition(" ")[2].strip())


def _certificate_end(user: Config, file: Path) -> dt.datetime | None:
    try:
        pem = base64.b64decode(user.get("client-certificate-data") or "").decode()
        pem = pem or _text(user.get("client-certificate"), file)
        begin = pem.index(ssl.PEM_HEADER)  # the first of a chain is the client's own
        end = pem.index(ssl.PEM_FOOTER, begin) + len(ssl.PEM_FOOTER)
        return certificate.not_after(ssl.PEM_cert_to_DER_cert(pem[begin:end]))
    except (binascii.Error, ValueError):
        return None


def _text(path: str | None, kubeconfig_file: Path) -> str:
    """A file that a kubeconfig names, from its own folder."""
    if not path:
        return ""
    try:
        return (kubeconfig_file.parent / path).read_text().strip()
    except OSError:
        return ""
