"""The file of each row: a run that is cut loses no row that had ended, and can go on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench.line import Line
from tests.bench.rows import ROWS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Results:
    """A folder with ``A.json`` and so on."""

    folder: Path

    def file(self, letter: str) -> Path:
        """Where a row's results are."""
        return self.folder / f"{letter}.json"

    def keep(self, letter: str, facts: dict[str, Any], lines: list[Line]) -> None:
        """Write what a row came to; a file is whole, or not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {"about": facts, "lines": [line.as_json() for line in lines]}
        partial = self.file(letter).with_suffix(".partial")
        partial.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        partial.replace(self.file(letter))

    def read(self) -> tuple[dict[str, dict[str, Any]], list[Line]]:
        """What is known of each row that is there, in the order of the table."""
        facts, lines = {}, []
        for row in ROWS:
            if self.file(row.letter).exists():
                found = json.loads(self.file(row.letter).read_text())
                facts[row.letter] = found["about"]
                lines += [Line.from_json(line) for line in found["lines"]]
        return facts, lines
