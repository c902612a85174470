"""``python -m tests.faults.races``: races by seed, one line of JSON each; what is there is kept."""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.faults import race_table
from tests.faults.race_run import Race
from tests.faults.race_schedule import schedule
from tests.faults.race_world import control_plane
from tests.faults.zygote import Zygote


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-199", help="7, or 0-199, or both: 7,10-19")
    parser.add_argument("--results", type=Path, default=Path("dist/races.jsonl"))
    parser.add_argument("--at-once", type=int, default=6, help="races that run side by side")
    parser.add_argument("--name", default="races", help="of the control plane")
    parser.add_argument("--table", type=Path, help="make this page of the results, and no race")
    chosen = parser.parse_args()
    if chosen.table:
        chosen.table.write_text(race_table.page(read(chosen.results)))
        return
    seeds = _seeds(chosen.seeds)
    done = {line["seed"] for line in read(chosen.results)}
    race(chosen.name, [s for s in seeds if s not in done], chosen.results, chosen.at_once)
    found = [line for line in read(chosen.results) if line["seed"] in seeds]
    wrong = [line for line in found if line["wrong"]]
    print(f"{len(found)} races, {len(wrong)} not as they must be: {[w['seed'] for w in wrong]}")
    raise SystemExit(bool(wrong))


def _seeds(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def race(name: str, seeds: list[int], results: Path, at_once: int) -> None:
    """Run these and append their outcomes."""
    results.parent.mkdir(parents=True, exist_ok=True)
    writing = threading.Lock()
    with (
        tempfile.TemporaryDirectory(prefix="envctl-races-") as folder,
        control_plane(name, Path(folder)) as world,
        Zygote() as zygote,
        ThreadPoolExecutor(at_once) as pool,
    ):

        def one(seed: int) -> None:
            outcome = Race(world, zygote, Path(folder), schedule(seed)).run()
            line = {**outcome.as_json(), "schedule": schedule(seed).as_json()}
            with writing, results.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(f"{seed}: {outcome.seconds} s", *outcome.wrong, sep="\n    ", flush=True)

        list(pool.map(one, seeds))


def read(results: Path) -> list[dict[str, Any]]:
    """The outcomes so far."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text().splitlines()]


if __name__ == "__main__":
    main()
