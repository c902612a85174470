"""The catalogue under other commands: ``python -m tests.failures.compare [NAME ...]``.

Each case with `envctl up`, `helm upgrade --install --wait`, and `kubectl apply` + `rollout status`:
whether it names the cause, how many seconds after the cluster itself knew, and whether it calls
the broken environment a success. Rows go to a file, a line each; what is there is not played again.
``--docs`` writes the table of that file into docs/diagnosis.md, and plays nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster import busybox
from tests.cluster import node as nodes
from tests.cluster.node import Envctl, clean_environment, tool
from tests.failures.__main__ import on_stage
from tests.failures.catalogue import catalogue
from tests.failures.contenders import TIMEOUT, TOOLS, compared

if TYPE_CHECKING:
    from tests.cluster.node import Node
    from tests.failures.case import Case

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "diagnosis.md"
ROWS = Path(__file__).with_name("compared.jsonl")
BEGIN, END = "<!-- compared: begin -->", "<!-- compared: end -->"
Row = dict[str, Any]
#: In the order of the table, and what each is called there.
CALLED = {
    "envctl": "`envctl up`",
    "helm": "`helm upgrade --install --wait`",
    "helm, then a script that dumps": "the same, then a script that dumps pods, events and logs",
    "kubectl": "`kubectl apply` + `rollout status`",
}


def main() -> int:
    """Play what is not in the file yet, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.failures.compare", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the cases' names; all without")
    parser.add_argument("--not", dest="but", action="append", default=[], help="words to leave out")
    parser.add_argument("--rows", type=Path, default=ROWS, help="the file of the rows")
    parser.add_argument("--tool", action="append", choices=list(TOOLS), help="only these")
    parser.add_argument("--at-once", type=int, default=6)
    parser.add_argument("--docs", action="store_true", help="write the table, play nothing")
    wanted = parser.parse_args()
    if wanted.docs:
        PAGE.write_text(with_table(PAGE.read_text(), read(wanted.rows)))
        return 0
    node = nodes.found_or_started()
    if node.name:
        busybox.load(Envctl(), node.name)
    tools = wanted.tool or list(TOOLS)
    there = {(row["case"], row["tool"]) for row in read(wanted.rows)}
    jobs = [
        (case, name)
        for case in catalogue()
        if case.command == ("up",) and _chosen(case.name, wanted.names, wanted.but)
        for name in tools
        if (case.name, name) not in there
    ]
    writing, facts = threading.Lock(), about(node)

    def play(job: tuple[Case, str]) -> None:
        case, name = job
        for row in rows_of(case, name, node):
            with writing, wanted.rows.open("a") as file:
                file.write(json.dumps({**row, **facts}, ensure_ascii=False) + "\n")
            print(f"{row['tool']}: {case.name}: {_words(row)}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(wanted.at_once) as pool:
        failed = [done.exception() for done in [pool.submit(play, job) for job in jobs]]
    for error in filter(None, failed):
        print(f"not played: {error!r}", file=sys.stderr)
    print(table(read(wanted.rows)))
    return 1 if any(failed) else 0


def _chosen(name: str, words: list[str], but: list[str]) -> bool:
    named = not words or any(word in name for word in words)
    return named and not any(word in name for word in but)


def rows_of(case: Case, name: str, node: Node) -> list[Row]:
    """Play one case with one tool."""
    found = on_stage(node, lambda stage: compared(case, stage, name))
    return [
        {
            "case": case.name,
            "tool": played,
            **seen.as_json(),
            "final": case.final,
            "wrongly": seen.screen.exit == 0 and case.exit != 0,
        }
        for played, seen in found
    ]


def read(file: Path) -> list[Row]:
    """The rows that are there; of two for one case and tool the later."""
    lines = file.read_text().splitlines() if file.exists() else []
    rows = {(row["case"], row["tool"]): row for row in map(json.loads, lines)}
    return list(rows.values())


def about(node: Node) -> Row:
    """What the figures depend on."""
    helm = _says(tool("helm"), "version", "--short")
    kubectl = json.loads(
        _says(tool("kubectl"), "--kubeconfig", str(node.kubeconfig), "version", "-o", "json")
    )
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": f"Helm {helm.partition('+')[0]}, kubectl "
        f"{kubectl['clientVersion']['gitVersion']}, Kubernetes "
        f"{kubectl['serverVersion']['gitVersion']}",
        "machine": f"{os.cpu_count()} CPUs, Linux {platform.release().partition('-')[0]}",
    }


def _says(*command: str) -> str:
    done = subprocess.run(
        command, env=clean_environment(), capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _words(row: Row) -> str:
    if row["wrongly"]:
        return "**a success**"
    if not row["named"]:
        return "not named" + (f", {row['endedAfter']} s" if row["endedAfter"] is not None else "")
    return f"{row['saidAfter']} s" if row["saidAfter"] is not None else "named"


def summary(rows: list[Row]) -> list[str]:
    """One line a tool: named, how late, and what it called a success."""
    lines = [
        "| command | causes named | median, of final causes | called a success |",
        "|---|---|---|---|",
    ]
    cases = len({row["case"] for row in rows})
    for name, called in CALLED.items():
        own = [row for row in rows if row["tool"] == name]
        late = [
            row["saidAfter"] if row["saidAfter"] is not None else row["endedAfter"]
            for row in own
            if row["final"] and not row["wrongly"]
        ]
        known = [seconds for seconds in late if seconds is not None]
        median = f"{statistics.median(known):.1f} s" if known else ""
        # The script runs when helm has failed: nothing is dumped after a success.
        ended = "helm" if name.startswith("helm") else name
        successes = sum(row["wrongly"] for row in rows if row["tool"] == ended)
        named = sum(row["named"] and not row["wrongly"] for row in own)
        lines.append(f"| {called} | {named} of {cases} | {median} | {successes} |")
    return lines


def table(rows: list[Row]) -> str:
    """The summary, and a line for each case."""
    if not rows:
        return ""
    lines = [*summary(rows), "", "| case | envctl | helm | kubectl |", "|---|---|---|---|"]
    by = {(row["case"], row["tool"]): row for row in rows}
    for case in dict.fromkeys(row["case"] for row in rows):
        cells = [by.get((case, name)) for name in ("envctl", "helm", "kubectl")]
        heals = not all(cell["final"] for cell in cells if cell)
        words = [case + " (may heal)" * heals, *(_words(cell) if cell else "" for cell in cells)]
        lines.append(f"| {' | '.join(words)} |")
    return "\n".join(lines)


def with_table(page: str, rows: list[Row]) -> str:
    """The page with the table of these rows between its two marks."""
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2]
    facts = "; ".join(sorted({f"{r['date']}, {r['versions']}, {r['machine']}" for r in rows}))
    said = (
        f"Measured {facts}, with `task failures:compare`, each command with a time-out of "
        f"{TIMEOUT} s. A number is the seconds from when the cluster itself recorded the cause to "
        "when the command named it; where it is *not named*, to when the command gave up. What may "
        "heal is waited for until the time-out, and named then."
    )
    return f"{head}{BEGIN}\n\n{said}\n\n{table(rows)}\n\n{END}{tail}"


if __name__ == "__main__":
    sys.exit(main())
