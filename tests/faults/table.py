"""The page docs/reliability.md, made from the file of outcomes and from nothing else."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.faults import points, state
from tests.faults.archive import counts_of
from tests.faults.inject import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.faults.points import Outcome

_HEAD = """\
# Reliability: killed anywhere

Made by `task faults`, from the outcome of each point; nothing in it is written by hand.

A proxy stands between the cluster and envctl, with the helm that it runs, and counts requests,
watches and renewals of the lock included. At the k-th request of a verb one thing goes wrong. Then
the same command is run again, past the proxy, or `down` is, and the state of the cluster is
compared with that after an undisturbed run. The application: two Helm releases, one with hooks and
a claim, a kustomization, manifests and a check, each needing the one before.

- **cured**: the run itself coped, exit code 0, the same state. That is the goal for each single
  fault that a retry can cure.
- **same**: the run ended, and the re-run led to the same state; no claim had another UID.
- **gone**: the run ended, and `down` left nothing.
- **stuck**: anything else. The goal is 0.

A recovery is the whole second run; after a SIGKILL it first waits up to 15 s for the old lock.

`change` is `up` with a changed chart value and a changed manifest on a running environment. A
SIGKILL is one of envctl alone; its helm ends with it. Beside it stands what the script of a
pipeline would run: `helm upgrade --install` of the two charts, one after the other, and
`helm uninstall`, compared with undisturbed runs of the same.

## What a dead Helm leaves, and the rule for it

| state | rule |
|---|---|
| `pending-install`, `failed`, `pending-rollback`, never deployed | Helm's records go, what it \
made stays; Helm installs it anew and adopts it, so that the install hooks run |
| `pending-upgrade`, `pending-rollback`, deployed before | `helm rollback --no-hooks` to that \
revision; to the unfinished one if that alone has certain claims, which going back would delete |
| `failed`, deployed before | Helm upgrades from there |
| `uninstalling` | not finished, as that deletes data: installed anew around what is left |
| `pending-*` although helm ended well | its last write was lost; the step is tried again |

Each is said in the log, and held with Helm 3 and 4 by `tests/faults/test_helm_left.py`.
"""
_COLUMNS = (
    "| points | struck | cured | same on the re-run | gone by `down` | stuck | slowest recovery |"
)


def page(results: Path) -> str:
    """The whole page."""
    outcomes = points.read(results)
    known = json.loads(counts_of(results).read_text())
    tools = {
        name: points.of(name, found["requests"], found["of_helm"])
        for name, found in known["tools"].items()
    }
    total = sum(map(len, tools.values()))
    struck = [outcome for outcome in outcomes if outcome.end != "missed"]
    parts = [_HEAD, _how(known, outcomes, total)]
    parts += ["## Side by side\n", _side_by_side(tools, struck)]
    for name, there in tools.items():
        found = [outcome for outcome in struck if outcome.point.tool == name]
        parts += [f"## {name}, verb by verb\n", _details(there, found)]
    parts += ["## What fell short\n", _short(struck), "## What is not compared\n", _normal()]
    return "\n".join(parts)


def _how(known: dict[str, Any], outcomes: list[Outcome], total: int) -> str:
    missed = sum(outcome.end == "missed" for outcome in outcomes)
    commits = Counter(outcome.commit for outcome in outcomes)
    all_of_it = (
        "every point" if len(outcomes) >= total
        else f"**{len(outcomes)} of {total} points**, in a seeded random order, so that they are "
        "a fair sample of the whole"
    )  # fmt: skip
    requests = "; ".join(
        f"{name}: " + ", ".join(f"{verb} {n}" for verb, n in found["requests"].items())
        for name, found in known["tools"].items()
    )
    meta = known["meta"]
    return (
        f"Run on {meta['date']} with {meta['versions']}, on {meta['machine']}: {all_of_it}. "
        f"In {missed} of them the run made fewer requests than the undisturbed one, and "
        "nothing was struck. Each outcome is in [the data](data/reliability.jsonl.xz), with its "
        f"commit: {', '.join(f'{commit} ({n})' for commit, n in commits.items())}.\n\n"
        f"Requests of an undisturbed run: {requests}.\n"
    )


def _row(there: Iterable[points.Point], found: list[Outcome]) -> str:
    ends = Counter(outcome.end for outcome in found)
    slowest = max((outcome.recovery for outcome in found), default=0.0)
    return (
        f"| {len(list(there))} | {len(found)} | {ends['cured']} | {ends['same']} | {ends['gone']} "
        f"| {ends['stuck']} | {f'{slowest:.0f} s' if slowest else '-'} |"
    )


def _side_by_side(tools: dict[str, list[points.Point]], struck: list[Outcome]) -> str:
    lines = [f"| tool | fault {_COLUMNS}", f"|---|---{'|---:' * 7}|"]
    for name, there in tools.items():
        of_tool = [o for o in struck if o.point.tool == name]
        for fault in Fault:
            mine = [p for p in there if p.fault is fault]
            if mine:
                found = [o for o in of_tool if o.point.fault is fault]
                lines.append(f"| {name} | {fault} {_row(mine, found)}")
        lines.append(f"| **{name}** | **all** {_row(there, of_tool)}")
    return "\n".join(lines) + "\n"


def _details(there: list[points.Point], found: list[Outcome]) -> str:
    lines = [f"| verb | fault {_COLUMNS}", f"|---|---{'|---:' * 7}|"]
    for verb in dict.fromkeys(point.verb for point in there):
        for fault in Fault:
            mine = [p for p in there if (p.verb, p.fault) == (verb, fault)]
            if mine:
                ended = [o for o in found if (o.point.verb, o.point.fault) == (verb, fault)]
                lines.append(f"| `{verb}` | {fault} {_row(mine, ended)}")
    return "\n".join(lines) + "\n"


def _short(struck: list[Outcome]) -> str:
    """Each point of envctl's that missed its goal, and why."""
    lines = []
    for outcome in struck:
        point = outcome.point
        if not point.tool.startswith("envctl"):
            continue
        if outcome.end == "stuck" or (point.fault.curable and outcome.end == "same"):
            why = " ".join(outcome.why.split()).replace("|", "\\|")[:300]
            lines.append(
                f"| {point.tool} | `{point.verb}` | {point.fault} | {point.at} | "
                f"`{_masked(outcome.request)}` | {outcome.end} | {why} |"
            )
    if not lines:
        return "Nothing: no point of envctl's was stuck, and each curable fault was cured.\n"
    head = ["| tool | verb | fault | k | request | end | what was said |", f"|{'---|' * 7}"]
    return "\n".join([*head, *sorted(lines)]) + "\n"


def _masked(request: str) -> str:
    """The request with the run's own namespace left out."""
    parts = request.split("/")
    if "namespaces" in parts[:-1]:
        parts[parts.index("namespaces") + 1] = "NS"
    return "/".join(parts)


def _normal() -> str:
    return (state.__doc__ or "").split("\n\n", 1)[1].strip() + "\n"
