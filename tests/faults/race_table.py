"""The page docs/races.md, made from the file of outcomes and from nothing else."""

from __future__ import annotations

import platform
import re
import statistics
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from envctl import __version__
from tests.cluster.node import clean_environment, tool

_HEAD = """\
# Races: the newest pipeline stands

Made by `task races`, from the outcome of each race; nothing in it is written by hand.

Two, four or eight runs work on one environment at once: `up` and `down` of pipelines, of people at
a laptop, and `gc`, on clocks that are right, an hour slow or an hour fast. One of them is stopped
(SIGSTOP) for 17 to 20 s, longer than the 15 s that the lock is good for without renewal, and then
goes on (SIGCONT): after a while, or in front of a write of its own, at the worst moment: it has
asked whether it still holds the lock, and the request has not left. In half of the greater races
another one is killed (SIGKILL). A seed says which race it is; the application has a Helm release
with a hook, manifests, and an object outside of the namespace.

## What must hold

- **The newest stands.** Of runs with a pipeline number the highest is the newest, whatever the
  order in which they began, and whether it is an `up` or a `down`: every object is as it says, none
  of another run is left, and its `plan` finds nothing to do. `gc` has no number; it judges what it
  finds when the lock is free, so that it never takes what a pipeline has just used. A person has
  none either, overtakes nobody, and counts at the moment at which they get the lock: where that is
  after the newest pipeline was done, what they say stands.
- **Older ones say so.** They end with 79 (superseded), or with 0, where they were done before. A
  pipeline whose lock was taken over by a run without a number, while it was stopped, ends with 75
  (try again), and is run again, as the CI templates do.
- **Nobody writes too late.** Each run has an account of its own, so that the audit log says of each
  write, helm's included, whose it is: it lies wholly within its run's time with the lock.
- **The lock is free** at the end.

Taken over by time is a lock whose holder, stopped or dead, was seen not to renew it for 15 s.

"""


def page(lines: list[dict[str, Any]]) -> str:
    """The page for these outcomes."""
    rows = [
        ("2 at once", lambda x: x["size"] == 2),
        ("4 at once", lambda x: x["size"] == 4),
        ("8 at once", lambda x: x["size"] == 8),
        ("one stopped in front of a write", lambda x: _stopped(x, "stop_at")),
        ("one stopped after a while", lambda x: _stopped(x, "stop_after")),
        ("one killed", lambda x: any(a["kill"] for a in x["schedule"]["actors"])),
        ("the newest is a `down`", lambda x: x["expected"] == "gone"),
        ("**all**", lambda _: True),
    ]
    table = [
        "| races | number | newest stands | late writes | taken over by time | median, slowest |",
        "|---|---:|---:|---:|---:|---:|",
        *(_row(name, [x for x in lines if chosen(x)]) for name, chosen in rows),
    ]
    wrong = [f"- seed {x['seed']}: {'; '.join(x['wrong'])}" for x in lines if x["wrong"]]
    return (
        f"{_HEAD}Run on {datetime.now(UTC):%d %B %Y} with envctl {__version__}, Helm {_helm()}, "
        f"Kubernetes 1.37.2, Python {platform.python_version()}, on 2 shared cores, with KWOK's "
        f"nodes: seeds {min(x['seed'] for x in lines)} to {max(x['seed'] for x in lines)}, "
        f"**{sum(not x['wrong'] for x in lines)} of {len(lines)} races ended as they must**.\n\n"
        + "\n".join(table)
        + f"\n\nHow the runs ended: {_codes(lines)}.\n"
        + ("\n## Not as they must be\n\n" + "\n".join(wrong) + "\n" if wrong else "")
    )


def _row(name: str, lines: list[dict[str, Any]]) -> str:
    if not lines:
        return f"| {name} | 0 | - | - | - | - |"
    stands = sum(not any(w.startswith("stands") for w in x["wrong"]) for x in lines)
    late = sum(len(x["late"]) for x in lines)
    seconds = [x["seconds"] for x in lines]
    return (
        f"| {name} | {len(lines)} | {stands} | {late} | {sum(x['takeovers'] for x in lines)} "
        f"| {statistics.median(seconds):.0f} s, {max(seconds):.0f} s |"
    )


def _stopped(line: dict[str, Any], how: str) -> bool:
    actors = zip(line["schedule"]["actors"], line["ended"], strict=True)
    return any(actor[how] and ended["stopped"] for actor, ended in actors)


def _codes(lines: list[dict[str, Any]]) -> str:
    words = {0: "0 (done)", 79: "79 (superseded)", 75: "75, then run again", -9: "killed"}
    found: Counter[str] = Counter()
    for line in lines:
        for ended in line["ended"]:
            found.update(words.get(code, str(code)) for code in ended["codes"])
    return ", ".join(f"{count} with {word}" for word, count in found.most_common())


def _helm() -> str:
    import subprocess

    said = subprocess.run(
        [tool("helm"), "version", "--short"], env=clean_environment(), capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    match = re.search(r"v(\d[\d.]*)", said)
    return match[1] if match else "?"
