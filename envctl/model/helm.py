"""Helm's release records, as Helm stores them in Secrets of the release's namespace.

Format: base64(gzip(JSON)) in ``data.release``, itself base64 as Secrets are; the labels say name,
version and status (helm.sh/helm/v4/pkg/storage/driver).
"""

from __future__ import annotations

import base64
import binascii
import enum
import gzip
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from envctl.model.objects import Obj, labels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

SELECTOR = "owner=helm"
_DELETE_HOOKS = {"pre-delete", "post-delete"}
#: States of a revision that has once been what ran.
_GOOD = ("deployed", "superseded")


class Cure(enum.StrEnum):
    """How a release that a dead run left behind is brought to where Helm takes it up again."""

    NONE = "none"
    #: Its records go, what it made stays and is adopted: only a real install runs the hooks of one.
    ANEW = "install anew"
    #: ``helm rollback``: the last good revision again, after which an upgrade can start.
    BACK = "roll back"


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be done, to which ``revision``, and the sentence for the log (empty: nothing)."""

    cure: Cure = Cure.NONE
    revision: int = 0
    say: str = ""


def repair(name: str, history: Sequence[tuple[int, str]]) -> Repair:
    """The rule for each state that a release can be left in; ``history`` is (revision, status).

    None of them deletes what holds data: an uninstall, which would, is never finished, since
    whoever asks for a deployment wants the release and not its end.
    """
    if not history:
        return Repair()
    status = max(history)[1]
    good = [revision for revision, state in sorted(history) if state in _GOOD]
    if status == "uninstalling":
        return Repair(Cure.ANEW, 0, f"release {name} was being uninstalled by a run that ended; "
                      "it is installed anew around what is left of it")  # fmt: skip
    if status.startswith("pending") or status == "failed":
        if not good:
            return Repair(Cure.ANEW, 0, f"release {name} was left {status} and has never been "
                          "deployed; it is installed anew, with what it has made")  # fmt: skip
        if status == "failed":
            return Repair(say=f"release {name} was left failed; it is upgraded from there")
        return Repair(Cure.BACK, good[-1], f"release {name} was left {status}; rolling back to "
                      f"revision {good[-1]} first")  # fmt: skip
    return Repair()


def history(secrets: Sequence[Obj]) -> list[tuple[int, str]]:
    """(revision, status) of each record of one release, oldest first; labels say all of it."""
    return sorted((_version(secret), labels_of(secret).get("status", "")) for secret in secrets)


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
