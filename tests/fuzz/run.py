"""All targets, one after the other, in the time that there is; and the table of what came of it.

    python -m tests.fuzz.run SECONDS [TARGET ...] [--docs]

What atheris has found to be worth trying is kept in the user's cache folder and is where the next
run begins. An input that breaks something is kept too, and printed. With ``--docs`` the table goes
into docs/fuzzing.md, where a target that was not run keeps its row. Ends with 1 if anything broke.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import pkgutil
import platform
import re
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import atheris

# All of envctl, at once: what is imported later, in a function, would not be watched.
with atheris.instrument_imports(include=["envctl"]):
    import envctl

    for _module in pkgutil.walk_packages(envctl.__path__, "envctl."):
        import_module(_module.name)

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fuzzing.md"
BEGIN, END = "<!-- fuzz -->\n", "<!-- /fuzz -->\n"
#: Seconds that one input may take, and MiB that a target may grow to.
TIMEOUT, MEMORY = 10, 1024
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target."""

    name: str
    runs: int
    seconds: float
    edges: int
    corpus: int
    slowest: int
    memory: int
    broken: str = ""


def main() -> None:
    """Divide the time, run, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int)
    parser.add_argument("targets", nargs="*", default=list(TARGETS))
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    warnings.simplefilter("ignore")
    logging.disable()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "envctl" / "fuzz"
    each = max(2, options.seconds // len(names))
    found = []
    for name in names:
        found.append(_fuzz(name, each, cache))
        print(_row(found[-1]), flush=True)
    if options.docs:
        _write(found)
    sys.exit(any(outcome.broken for outcome in found))


def _fuzz(name: str, seconds: int, cache: Path) -> Outcome:
    """Run a target in a process of its own, which has what this one has instrumented already."""
    slug = _SLUG.sub("-", name.lower())
    corpus, broken = cache / "corpus" / slug, cache / "broken" / slug
    for folder in (corpus, broken):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number:02}").write_bytes(seed)
    options = [
        "envctl", str(corpus), f"-max_total_time={seconds}", f"-timeout={TIMEOUT}",
        f"-rss_limit_mb={MEMORY}", "-max_len=4096", "-print_final_stats=1",
        f"-artifact_prefix={broken}/",
    ]  # fmt: skip
    begin = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = os.fork()
        if child == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            atheris.Setup(options, TARGETS[name])
            atheris.Fuzz()
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        log.seek(0)
        said = log.read().decode(errors="replace")
    covered = re.findall(r"cov: (\d+) ", said)
    outcome = Outcome(
        name,
        _stat(said, "number_of_executed_units"),
        time.monotonic() - begin,
        int(covered[-1]) if covered else 0,
        len(list(corpus.iterdir())),
        _stat(said, "slowest_unit_time_sec"),
        _stat(said, "peak_rss_mb"),
        _what_broke(said) if status else "",
    )
    if outcome.broken:
        print(said[-4000:], file=sys.stderr)
    return outcome


def _stat(said: str, name: str) -> int:
    match = re.search(rf"stat::{name}:\s+(\d+)", said)
    return int(match[1]) if match else 0


def _what_broke(said: str) -> str:
    match = re.search(r"^(?:\w+\.)*(\w*(?:Error|Exception)\b.*)$", said, re.MULTILINE)
    libfuzzer = re.search(r"ERROR: libFuzzer: (.*)", said)
    return (match or libfuzzer or ["", "it ended"])[1][:100]


def _row(outcome: Outcome) -> str:
    rate = outcome.runs / max(outcome.seconds, 0.1)
    return (
        f"| {outcome.name} | {outcome.seconds:.0f} | {outcome.runs:,} | {rate:,.0f} "
        f"| {outcome.edges:,} | {outcome.corpus:,} | {outcome.slowest} | {outcome.memory} "
        f"| {outcome.broken or 'none'} |"
    )


def _write(found: list[Outcome]) -> None:
    """Put the rows into the page; a target that was not run keeps its own."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = {_cells(row)[0]: row for row in table.splitlines() if row.startswith("| ")}
    rows |= {outcome.name: _row(outcome) for outcome in found}
    rows = {name: rows[name] for name in TARGETS if name in rows}
    seconds, runs = (
        sum(int(_cells(row)[column].replace(",", "")) for row in rows.values()) for column in (1, 2)
    )
    today = dt.datetime.now(dt.UTC).date().isoformat()
    where = f"envctl {envctl.__version__}, Python {platform.python_version()}, one process"
    lines = [
        f"{today}, {where}, {seconds / 60:.0f} minutes: {runs:,} inputs.",
        "",
        "| target | seconds | inputs | a second | branches | corpus | slowest, s | MiB | broke |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
        *rows.values(),
    ]
    PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


if __name__ == "__main__":
    main()
