"""Helm's release records, as Helm stores them in Secrets of the release's namespace.

Format: base64(gzip(JSON)) in ``data.release``, itself base64 as Secrets are; the labels say name,
version and status (helm.sh/helm/v4/pkg/storage/driver).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

from envctl.model.objects import Obj, labels_of

SELECTOR = "owner=helm"
_DELETE_HOOKS = {"pre-delete", "post-delete"}


@dataclass(frozen=True, slots=True)
class Release:
    """The newest revision of a release."""

    name: str
    version: int
    status: str
    has_delete_hooks: bool
    manifest: str


def newest(secrets: list[Obj]) -> list[Release]:
    """The newest revision of every release among these Secrets, by name."""
    found: dict[str, Obj] = {}
    for secret in secrets:
        name = labels_of(secret).get("name", "")
        if name and (name not in found or _version(secret) > _version(found[name])):
            found[name] = secret
    return [_release(found[name]) for name in sorted(found)]


def _version(secret: Obj) -> int:
    text = labels_of(secret).get("version", "0")
    return int(text) if text.isdecimal() else 0


def _release(secret: Obj) -> Release:
    labels = labels_of(secret)
    body = _decode((secret.get("data") or {}).get("release", ""))
    events = {str(e) for hook in body.get("hooks") or [] for e in hook.get("events") or []}
    return Release(
        labels["name"],
        _version(secret),
        labels.get("status", ""),
        # What cannot be read may have hooks: then Helm is asked.
        not body or bool(events & _DELETE_HOOKS),
        str(body.get("manifest") or ""),
    )


def _decode(text: str) -> dict[str, Any]:
    try:
        packed = base64.b64decode(base64.b64decode(text))
        found = json.loads(gzip.decompress(packed))
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
