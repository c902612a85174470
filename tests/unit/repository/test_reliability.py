"""The page about reliability says what its data say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults import archive, points, table

if TYPE_CHECKING:
    from pathlib import Path

PAGE = archive.ARCHIVE.parents[1] / "reliability.md"


def test_the_page_is_made_from_the_data_beside_it(tmp_path: Path) -> None:
    results = tmp_path / "faults.jsonl"
    archive.unpack(results)
    assert table.page(results) == PAGE.read_text(), "run `task faults`, or its last line alone"


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    results, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    archive.unpack(results)
    archive.pack(results, tmp_path / "a.xz")
    archive.unpack(again, tmp_path / "a.xz")
    assert points.read(again) == points.read(results)
    assert archive.counts_of(again).read_text() == archive.counts_of(results).read_text()
