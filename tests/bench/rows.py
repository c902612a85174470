"""All rows, in the order of the table; those of one cluster are run together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench import (
    rows_bad,
    rows_crowd,
    rows_down,
    rows_first,
    rows_kinds,
    rows_many,
    rows_ready,
    rows_requests,
    rows_same,
    rows_start,
    scale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.lab import Lab
    from tests.bench.line import Line

NONE, REAL, FAKE = 0, 1, 2


@dataclass(frozen=True)
class Row:
    """One question. ``cluster`` is what it runs on."""

    letter: str
    what: str
    cluster: int
    measure: Callable[[Lab], Iterator[Line]]


ROWS = (
    Row("A", "`up` again, nothing changed, drift checked (M)", REAL, rows_same.nothing_changed),
    Row("B", "first `up` (M), cold namespace → everything Ready", REAL, rows_first.releases),
    Row("C", "first `up` (L), server-side apply → Ready", FAKE, rows_first.objects),
    Row("D", "last object becomes Ready → process exits", REAL, rows_ready.ready),
    Row("E", "`down` (M, pods that ignore SIGTERM)", REAL, rows_down.down),
    Row("F", "one object changed out of L", FAKE, rows_same.one_changed),
    Row("G", "`list` with many environments", FAKE, rows_many.listing),
    Row("H", "`gc` of a tenth of many, expired", FAKE, rows_many.collection),
    Row("I", "`envctl --help`, `envctl --version`", NONE, rows_start.start),
    Row("J", "API requests of each verb (S, M, L)", FAKE, rows_requests.requests),
    Row("K", "a cluster of 2,000 CRDs", FAKE, rows_kinds.kinds),
    Row("P", "50 pipelines at once", FAKE, rows_crowd.crowd),
    Row("X", "bad cases: still correct, memory bounded", FAKE, rows_bad.bad),
)


def chosen(letters: list[str]) -> list[Row]:
    """The rows with these letters, all without, in the order in which they are best run.

    Those with thousands of environments or kinds come last on their cluster: what others measure
    there must not have to share the server with them.
    """
    unknown = set(letters) - {row.letter for row in ROWS} - {scale.LETTER}
    if unknown:
        raise ValueError(f"there is no row {', '.join(sorted(unknown))}")
    found = [row for row in ROWS if not letters or row.letter in letters]
    return sorted(found, key=lambda row: (row.cluster, row.letter in "GHK", row.letter))
