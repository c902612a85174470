"""Kubeconfig documents as data: one for a credential, and one file with another merged into it."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]
_LISTS = ("clusters", "users", "contexts")


def build(name: str, cluster: Config, namespace: str, token: str) -> Config:
    """A kubeconfig with one context, its cluster and its user, all three called ``name``."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}
        ],
        "current-context": name,
    }


def merged(config: Config, addition: Config) -> Config:
    """``config`` with the entries of ``addition``; everything else, and its order, stays.

    An empty ``config`` takes the current context over, another keeps its own.
    """
    if not config:
        return addition
    found = dict(config)
    for field in _LISTS:
        found[field] = _with(config.get(field) or [], addition[field])
    return found


def _with(entries: list[Config], additions: list[Config]) -> list[Config]:
    new = {entry["name"]: entry for entry in additions}
    kept = [new.pop(entry.get("name", ""), entry) for entry in entries]
    return [*kept, *new.values()]
