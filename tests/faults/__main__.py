"""Every kill point of every verb: ``python -m tests.faults [--resume] [--table docs/…]``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import yaml

from tests.cluster.node import Envctl
from tests.faults import archive
from tests.faults.campaign import Campaign, compared
from tests.faults.inject import Fault

NODE = "faults"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("faults.jsonl"))
    parser.add_argument("--resume", action="store_true", help="go on where it ended")
    parser.add_argument("--table", type=Path, help="only write the page, its data beside it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slots", type=int, default=6, help="environments side by side")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--points", type=int, default=10**9, help="strike at most so many")
    parser.add_argument("--verb", action="append")
    parser.add_argument("--fault", action="append", choices=[f.name for f in Fault])
    parser.add_argument("--at", type=int)
    parser.add_argument("--helm", action="append", choices=["helm", "helm3"])
    parser.add_argument("--no-shell", action="store_true")
    parser.add_argument("--kubeconfig", type=Path, help="instead of a control plane of its own")
    chosen = parser.parse_args()
    if chosen.table:
        from tests.faults import table

        chosen.table.write_text(table.page(chosen.results))
        archive.pack(chosen.results, chosen.table.parent / "data" / archive.ARCHIVE.name)
        return
    if chosen.results.exists() and not chosen.resume:
        parser.error(f"{chosen.results} exists: --resume goes on with it")
    if chosen.resume and not chosen.results.exists():
        archive.unpack(chosen.results)
    asyncio.run(_strike(chosen))


async def _strike(chosen: argparse.Namespace) -> None:
    kubeconfig = chosen.kubeconfig or _control_plane()
    context = yaml.safe_load(kubeconfig.read_text())["current-context"]
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)
    helms = tuple(chosen.helm or ["helm"])
    with tempfile.TemporaryDirectory(prefix="envctl-faults-") as folder:
        async with compared(context, helms, shell=not chosen.no_shell) as tools:
            await Campaign(
                kubeconfig, Path(folder), chosen.results, tools, chosen.seed, chosen.slots,
                chosen.minutes, chosen.points,
                lambda p: (
                    (not chosen.verb or p.verb in chosen.verb)
                    and (not chosen.fault or p.fault.name in chosen.fault)
                    and (not chosen.at or p.at == chosen.at)
                ),
            ).run()  # fmt: skip


def _control_plane() -> Path:
    """Pods become ready by themselves there, and Jobs complete."""
    name = os.environ.get("ENVCTL_FAULTS_NODE", NODE)
    command = Envctl().command(
        "local", "start", "--name", name, "--profile", "control-plane", "--nodes-fake", "2"
    )
    subprocess.run(command, check=True)
    status = Envctl()("local", "status", "--name", name, "-o", "json", check=0)
    return Path(status.json["kubeconfig"])


if __name__ == "__main__":
    main()
