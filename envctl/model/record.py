"""What the last run left behind: inputs' digests and the inventory of objects with their UIDs.

It lives in one ConfigMap in the environment's own namespace, so that it goes when the environment
goes. One key a component: two components that finish at once do not overwrite each other.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from envctl.model import measures
from envctl.model.managed import Owned, owned
from envctl.model.objects import Key, Obj, Resource, key_of, split_api_version, uid_of

if TYPE_CHECKING:
    from envctl.model.measures import Measures, Samples

NAME = "envctl-record"
#: Characters of one component's entry above which it is compressed (a ConfigMap holds 1 MiB).
_PLAIN = 100_000
GUARDRAILS = "guardrails"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the inventory; ``uid`` is empty while it is only about to be applied."""

    resource: Resource
    namespace: str
    name: str
    uid: str = ""
    owned: Owned = field(default=Owned("", ""))

    @property
    def key(self) -> Key:
        """Which object it is."""
        return Key(self.resource.group, self.resource.kind, self.namespace, self.name)

    def __str__(self) -> str:
        return f"{self.resource.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The last deployment of a component. ``complete`` is False from before its first write."""

    type: str
    digest: str
    complete: bool
    entries: tuple[Entry, ...] = ()

    def started(self, new_type: str, coming: tuple[Entry, ...]) -> Deployed:
        """The record to write ahead of a deployment: nothing that may exist is left out."""
        known = {entry.key: entry for entry in self.entries}
        merged = {**{entry.key: entry for entry in coming}, **known}
        return Deployed(new_type, "", complete=False, entries=tuple(merged.values()))


@dataclass(frozen=True, slots=True)
class Checked:
    """The last result of a check, for exactly the inputs in ``digest``, and what it measured."""

    digest: str
    passed: bool
    seconds: float
    metrics: Measures = ()
    samples: Samples = ()
    """What each of several runs measured; ``metrics`` are their medians."""
    refused: tuple[str, ...] = ()
    """Why each gate that failed did, once its Job had ended well."""

    @property
    def good(self) -> bool:
        """Whether its Job ended well and its numbers pass."""
        return self.passed and not self.refused


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered of one environment."""

    components: dict[str, Deployed] = field(default_factory=dict)
    checks: dict[str, Checked] = field(default_factory=dict)

    def with_component(self, name: str, deployed: Deployed) -> Record:
        """The record after a component's deployment."""
        return replace(self, components={**self.components, name: deployed})

    def with_check(self, name: str, checked: Checked) -> Record:
        """The record after a check."""
        return replace(self, checks={**self.checks, name: checked})


def entry_of(obj: Obj, resource: Resource) -> Entry:
    """The inventory entry of a live object."""
    key = key_of(obj)
    return Entry(
        resource, key.namespace if resource.namespaced else "", key.name, uid_of(obj), owned(obj)
    )


def component_key(name: str) -> str:
    """The ConfigMap key of a component's entry."""
    return f"component.{name}"


def check_key(name: str) -> str:
    """The ConfigMap key of a check's entry."""
    return f"check.{name}"


def dump_component(deployed: Deployed) -> str:
    """A component's entry as the ConfigMap holds it."""
    value = {
        "type": deployed.type,
        "digest": deployed.digest,
        "complete": deployed.complete,
        "objects": [_dump_entry(entry) for entry in deployed.entries],
    }
    text = json.dumps(value, separators=(",", ":"))
    if len(text) <= _PLAIN:
        return text
    return "zlib:" + base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def dump_check(checked: Checked) -> str:
    """A check's entry as the ConfigMap holds it."""
    value = {
        "digest": checked.digest,
        "passed": checked.passed,
        "seconds": checked.seconds,
        "metrics": dict(checked.metrics),
        **({"samples": measures.dump(checked.samples)} if checked.samples else {}),
        **({"refused": list(checked.refused)} if checked.refused else {}),
    }
    return json.dumps(value, separators=(",", ":"))


def load(config_map: Obj | None) -> Record:
    """Read the record; what cannot be read counts as never deployed, so that it is done again."""
    record = Record()
    for key, text in ((config_map or {}).get("data") or {}).items():
        kind, _, name = key.partition(".")
        value = _parse(text)
        try:
            if kind == "component":
                record = record.with_component(name, _load_component(value))
            elif kind == "check":
                record = record.with_check(name, _load_check(value))
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return record


def _parse(text: str) -> Any:
    try:
        if text.startswith("zlib:"):
            text = zlib.decompress(base64.b64decode(text[5:])).decode()
        return json.loads(text)
    except (ValueError, zlib.error):
        return {}


def _dump_entry(entry: Entry) -> list[Any]:
    return [
        entry.resource.api_version,
        entry.resource.kind,
        entry.resource.plural,
        entry.resource.namespaced,
        entry.namespace,
        entry.name,
        entry.uid,
        entry.owned.all,
        entry.owned.but_replicas,
    ]


def _load_check(value: dict[str, Any]) -> Checked:
    metrics = value.get("metrics") or {}  # an older envctl kept none
    return Checked(
        value["digest"],
        bool(value["passed"]),
        float(value["seconds"]),
        tuple((str(name), float(number)) for name, number in metrics.items()),
        measures.load(value.get("samples") or {}),
        tuple(map(str, value.get("refused") or ())),
    )


def _load_component(value: dict[str, Any]) -> Deployed:
    return Deployed(
        value["type"],
        value["digest"],
        bool(value["complete"]),
        tuple(_load_entry(item) for item in value["objects"]),
    )


def _load_entry(item: list[Any]) -> Entry:
    api_version, kind, plural, namespaced, namespace, name, uid, all_digest, loose = item
    group, version = split_api_version(api_version)
    resource = Resource(group, version, plural, kind, bool(namespaced))
    return Entry(resource, namespace, name, uid, Owned(all_digest, loose))
