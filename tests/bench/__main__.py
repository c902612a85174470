"""``python -m tests.bench [A E ...] [--rounds N] [--docs]``: measures rows, prints their table.

``local`` in place of letters measures the embedded cluster itself.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import traceback
from pathlib import Path

from tests.bench import lab as labs
from tests.bench import page, scale
from tests.bench.results import Results
from tests.bench.rows import Row, chosen

ROOT = Path(__file__).resolve().parents[2]
#: Kept with the page: rows are measured on different days, and the page is made from all of them.
RESULTS = ROOT / "docs" / "data" / "bench"


def main() -> int:
    """Measure what was asked for; 1 if a row could not be."""
    asked = _arguments()
    if asked.rows == ["local"]:
        from tests.bench import local

        return local.main()
    # Stopped by whoever started it, it leaves no cluster behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results, failed = Results(asked.results), 0
    if not asked.only_page:
        with labs.opened(asked.rounds, asked.environments) as lab:
            failed = _measure(lab, asked, results)
    facts, lines = results.read()
    if asked.json:
        found = {"about": facts, "lines": [line.as_json() for line in lines]}
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if asked.docs or asked.only_page:
        docs = ROOT / "docs"
        pictures = scale.pictures(results.folder, docs / "images")
        (docs / "benchmarks.md").write_text(page.page(facts, lines, pictures))
        labs.say("docs/benchmarks.md written")
    return failed


def _measure(lab: labs.Lab, asked: argparse.Namespace, results: Results) -> int:
    """Row after row; one that fails is told, and the others are measured all the same."""
    print(page.table([]), end="", flush=True)
    rows = chosen(asked.rows)
    if asked.resume:
        rows = [row for row in rows if not results.file(row.letter).exists()]
    failed = [row for row in rows if not _measured(lab, row, results)]
    if scale.LETTER in asked.rows or not asked.rows:
        scale.measure(lab, results.folder)
    return 1 if failed else 0


def _measured(lab: labs.Lab, row: Row, results: Results) -> bool:
    labs.say(f"row {row.letter}: {row.what}")
    lines = []
    try:
        for line in row.measure(lab):
            lines.append(line)
            print(page.row(line), flush=True)
    except Exception:  # noqa: BLE001 - whatever it is, the other rows are no worse for it
        traceback.print_exc()
        lab.close()
        return False
    results.keep(row.letter, page.about(lab.rounds), lines)
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", help="letters of rows, SCALE, or local; all rows without"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--environments", type=int, default=10_000, help="in rows G and H")
    parser.add_argument("--results", type=Path, default=RESULTS, help="a folder, a file each row")
    parser.add_argument("--resume", action="store_true", help="leave out the rows that are there")
    parser.add_argument("--json", type=Path, help="everything in one file")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--only-page", action="store_true", help="write it, and measure nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
