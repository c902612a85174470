"""Graphs of names: cycles and orders. ``needs`` maps each node to what it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

Needs = Mapping[str, Iterable[str]]


def find_cycle(needs: Needs) -> list[str]:
    """One cycle, first node repeated at its end, or an empty list."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def order(needs: Needs) -> list[str]:
    """All nodes, each after what it needs, otherwise in the given order (law 10: no randomness)."""
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    position = {name: index for index, name in enumerate(needs)}
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: position.get(name, len(position)))
        found += ready
        sorter.done(*ready)
    return found


def dependants(needs: Needs, name: str) -> set[str]:
    """Everything that waits for ``name``, directly or through others."""
    found: set[str] = set()
    frontier = {name}
    while frontier:
        frontier = {n for n, wanted in needs.items() if frontier & set(wanted)} - found
        found |= frontier
    return found
