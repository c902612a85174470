"""The quick mode: what is exact about speed, held to the number, and no time at all.

API requests of each verb on S, M and L, and the processes of Helm, stand in ``expected.json``.
A change that asks more is seen there, and so is one that asks less:

    python -m tests.bench.quick --write "the reason, as it shall stand in the file"
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import counting, lab
from tests.bench.counting import WORKLOADS
from tests.bench.measure import patient

if TYPE_CHECKING:
    from tests.bench.lab import Lab

FILE = Path(__file__).with_name("expected.json")
Counts = dict[str, dict[str, int]]


def counted(opened: Lab, workload: str) -> Counts:
    """What each verb asks of the server, and starts."""
    found = patient(lambda: counting.envctl(opened, opened.fake(), workload))
    return {verb: dict(sorted(counts.items())) for verb, counts in found.items()}


def expected() -> dict[str, Any]:
    """The file."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def differences(wanted: Counts, found: Counts) -> list[str]:
    """What is not as it was recorded, a line each."""
    lines = []
    for verb in sorted({*wanted, *found}):
        before, now = wanted.get(verb, {}), found.get(verb, {})
        lines += [
            f"{verb}: {what}: {now.get(what, 0)} instead of {before.get(what, 0)}"
            for what in sorted({*before, *now})
            if before.get(what, 0) != now.get(what, 0)
        ]
    return lines


def main() -> int:
    """Print what differs, or write down what is; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quick", description=__doc__)
    parser.add_argument("workloads", nargs="*", help="S, M, L; all without")
    parser.add_argument("--write", metavar="REASON", help="record the counts as they are now")
    asked = parser.parse_args()
    with lab.opened(1, 1, f"{lab.NAME}-quick") as opened:
        found = {each: counted(opened, each) for each in asked.workloads or WORKLOADS}
    if asked.write:
        record(found, asked.write)
        return 0
    wanted = expected()["counts"]
    lines = [f"{each}: {line}" for each in found for line in differences(wanted[each], found[each])]
    print("\n".join(lines) or "as recorded")
    return 1 if lines else 0


def record(found: dict[str, Counts], reason: str) -> None:
    """Write the counts down, with the reason beside those of earlier changes."""
    before = expected() if FILE.exists() else {"reasons": [], "counts": {}}
    entry = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(), "workloads": [*found], "why": reason,
    }  # fmt: skip
    after = {"reasons": [*before["reasons"], entry], "counts": {**before["counts"], **found}}
    FILE.write_text(json.dumps(after, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
