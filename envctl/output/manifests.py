"""Kubernetes objects as a YAML stream that a person reads before applying it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WIDTH = 96


class _Dumper(yaml.SafeDumper):
    """No anchors: what is shared by accident is written out, as everybody would."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def stream(objects: Iterable[Mapping[str, Any]], why: str) -> str:
    """One YAML stream; above each object, as a comment, what its annotation ``why`` says."""
    return "".join(_one(obj, why) for obj in objects)


def _one(obj: Mapping[str, Any], why: str) -> str:
    reason = obj["metadata"].get("annotations", {}).get(why, "")
    comment = "".join(f"# {line}\n" for line in textwrap.wrap(reason, _WIDTH))
    return f"---\n{comment}{document(obj)}"


def document(obj: Mapping[str, Any]) -> str:
    """One object as a YAML document."""
    return yaml.dump(obj, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
