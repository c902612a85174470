"""Plays the catalogue and prints its table: ``python -m tests.failures [NAME ...]``.

Each case: the sentence of the verdict, whether it names the culprit and the cause, how many
seconds after the cluster itself knew, and the exit code. ``--json FILE`` writes the same as JSON,
``--docs`` into docs/diagnosis.md.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.cluster import busybox
from tests.cluster import node as nodes
from tests.cluster.node import Envctl, Kubectl, Node
from tests.failures.catalogue import catalogue
from tests.failures.play import faults, play, play_twin
from tests.failures.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.failures.case import Case


T = TypeVar("T")
BEGIN, END = "<!-- explained: begin -->", "<!-- explained: end -->"


def main() -> int:
    """Play the cases named (all without a name), three at once; 1 where one went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.failures", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the cases' names")
    parser.add_argument("--json", type=Path, help="write the table as JSON to this file")
    parser.add_argument("--docs", action="store_true", help="write the table into the docs too")
    parser.add_argument("--at-once", type=int, default=3)
    wanted = parser.parse_args()
    cases = [
        case
        for case in catalogue()
        if not wanted.names or any(word in case.name for word in wanted.names)
    ]
    node = nodes.found_or_started()
    if node.name:
        busybox.load(Envctl(), node.name)
    with ThreadPoolExecutor(wanted.at_once) as pool:
        rows = list(pool.map(lambda case: row(case, node), cases))
    print(table(rows))
    if wanted.json:
        wanted.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    if wanted.docs:
        from tests.failures import compare

        facts = compare.about(node)
        said = (
            f"{facts['date']}, {facts['versions']}, {facts['machine']}, `task failures -- --docs`"
        )
        compare.PAGE.write_text(with_table(compare.PAGE.read_text(), said, rows))
    return 1 if any(found["faults"] for found in rows) else 0


def with_table(page: str, facts: str, rows: list[dict[str, Any]]) -> str:
    """The page with the table of these rows between its two marks; each project is a shop's."""
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2]
    shown = re.sub(r"\bt-[0-9a-f]{8}\b", "shop", table(rows))
    return f"{head}{BEGIN}\n\n{facts}:\n\n{shown}\n\n{END}{tail}"


def row(case: Case, node: Node) -> dict[str, Any]:
    """One row: the case, and its twin where it has one."""
    print(f"… {case.name}", file=sys.stderr, flush=True)
    played = on_stage(node, lambda stage: play(case, stage))
    found = {**played.as_json(), "faults": faults(played), "twin": None}
    twin = case.twin
    if twin:
        screen = on_stage(node, lambda stage: play_twin(twin, stage))
        found["twin"] = "passes" if screen.exit == 0 else f"exit {screen.exit}"
        if screen.exit:
            found["faults"].append(f"its healthy twin fails\n{screen}")
    if found["faults"]:
        print(f"{case.name}: {found['faults']}\n{played.screen}", file=sys.stderr, flush=True)
    return found


def on_stage(node: Node, act: Callable[[Stage], T]) -> T:
    """Act in an environment of its own, which is deleted afterwards."""
    kubectl, project = Kubectl(node), f"t-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        try:
            return act(Stage(Envctl(node.kubeconfig, place), node, kubectl, project, place))
        finally:
            label = f"envctl.dev/project={project}"
            kubectl.run("delete", "namespace", "-l", label, "--wait=false")
            kubectl.run("delete", "lease", "-n", "envctl-system", "-l", label, "--wait=false")


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table, and what they come to."""
    lines = [
        "| case | named | after the cluster knew | exit | healthy twin | what it says |",
        "|---|---|---|---|---|---|",
    ]
    for found in rows:
        after = found["secondsAfterKnown"]
        when = "" if after is None else f"{after:.1f} s"
        if not found["final"]:
            when = f"may heal; given up after {found['seconds']:.0f} s"
        named = "yes" if found["named"] and found["next"] else "no"
        said = found["sentence"].replace("|", "\\|")
        lines.append(
            f"| {found['case']} | {named} | {when} | {found['exit']} | {found['twin'] or ''} | "
            f"{said} |"
        )
    final = [r["secondsAfterKnown"] for r in rows if r["final"] and r["secondsAfterKnown"]]
    named = sum(r["named"] and r["next"] for r in rows)
    lines.append(f"\n{named} of {len(rows)} named.")
    if final:
        median = statistics.median(final)
        lines[-1] += (
            f" Final causes: median {median:.1f} s, at most {max(final):.1f} s after the cluster"
            " knew."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
