"""A private CA and a certificate by it, as a self-hosted forge has them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    ca_file: Path
    certificate: Path
    key: Path


def private_ca(folder: Path) -> Certificate:
    """Make a CA and with it a certificate for this machine's loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    found = Certificate(ca, folder / "server.pem", folder / "server.key")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(
        "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=A private CA", "-keyout", ca_key,
        "-out", ca, "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    _openssl(
        "req", "-x509", *new_key, "-days", "2", "-subj", "/CN=localhost", "-CA", ca,
        "-CAkey", ca_key, "-keyout", found.key, "-out", found.certificate,
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    return found


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
