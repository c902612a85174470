"""Which kubeconfigs are not acted upon: a merge request's own, and those that trust any server."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from envctl.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from envctl.model.kubeconfig import Config

#: What has a program run, or a file of this machine sent to the server.
_REACHING = ("exec", "auth-provider", "tokenFile", "client-certificate", "client-key")


def check_user(user: Config, file: Path) -> None:
    """Raise Refused where a kubeconfig that git tracks names a program, or a file to read.

    One that merely lies in the repository was put there by whoever works here; a tracked one comes
    with the checkout, and so with the merge request.
    """
    reaching = next((key for key in _REACHING if user.get(key)), "")
    if reaching and _tracked(file.resolve()):
        raise Refused(
            f"The kubeconfig {file.name} in the repository names {_words(reaching)}.",
            why="It is part of the checkout, so that whoever wrote the change chose it.",
            next="Keep the kubeconfig outside of the repository, for example in a CI variable of "
            "the type file.",
        )


def _words(key: str) -> str:
    return "a program to run" if key in ("exec", "auth-provider") else f"a file to use ({key})"


def _tracked(file: Path) -> bool:
    """Whether git knows the file; where git cannot be asked, whatever is in a checkout counts."""
    if not any((folder / ".git").exists() for folder in file.parents):
        return False
    if not shutil.which("git"):
        return True
    done = subprocess.run(
        ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", "--", file.name],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    return done.returncode != 1  # 1: it is there, and git does not know it


def check_server(cluster: Config) -> None:
    """Raise Refused where the server's certificate would not be verified, except on loopback."""
    if not cluster.get("insecure-skip-tls-verify"):
        return
    host = urlsplit(str(cluster.get("server", ""))).hostname or ""
    if not _loopback(host):
        raise Refused(
            f"The kubeconfig trusts whoever answers for {host or 'the server'}.",
            why="It says insecure-skip-tls-verify, and envctl sends its credential to nobody whom "
            "it has not verified.",
            next="Put the cluster's CA into certificate-authority-data instead.",
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
