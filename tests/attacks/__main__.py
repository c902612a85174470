"""Run every attack and print what stopped it: ``python -m tests.attacks [--write]``.

On the node that ``ENVCTL_TEST_NODE`` names, which is started where it does not run.
With ``--write``, the table in docs/security.md is made anew.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
import tempfile
import textwrap
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import envctl
from tests.attacks import account, files, objects, walls
from tests.attacks.attack import seen
from tests.cluster import busybox
from tests.cluster import node as nodes
from tests.cluster.app import App
from tests.cluster.node import Envctl, Kubectl
from tests.cluster.setup import set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.node import Finished, Node

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- attacks -->", "<!-- /attacks -->"
_COLUMNS = "| attack | by | stopped by | exit code | what was said |\n|---|---|---|---|---|\n"
#: Characters of a sentence in the table.
WIDTH = 110


def main() -> int:
    """Run them all; returns 1 where one of them was not stopped."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="make docs/security.md anew")
    arguments, node = parser.parse_args(), nodes.found_or_started()
    if node.name:
        busybox.load(Envctl(), node.name)
    kubectl = Kubectl(node)
    rows = [*_files(node, kubectl), *_account(node, kubectl)]
    through = [row for row in rows if "| NOT STOPPED |" in row]
    text = (
        f"{_head(kubectl)}{len(rows)} attacks, {len(through)} of them not stopped.\n\n"
        f"{_COLUMNS}" + "\n".join(rows) + "\n"
    )
    if arguments.write:
        page = PAGE.read_text()
        head, tail = page[: page.index(BEGIN)], page[page.index(END) :]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n{tail}")
    else:
        sys.stdout.write(text)
    return 1 if through else 0


def _head(kubectl: Kubectl) -> str:
    helm = nodes.tool("helm")
    version = kubectl("version")["serverVersion"]["gitVersion"]
    today = dt.datetime.now(dt.UTC).date()
    found = walls.output(helm, "version", "--template", "{{.Version}}")
    return f"{today}, envctl {envctl.__version__}, Kubernetes {version}, Helm {found}: "


def _files(node: Node, kubectl: Kubectl) -> Iterator[str]:
    for attack in [*files.ALL, *objects.ALL]:
        with tempfile.TemporaryDirectory() as folder:
            app = _app(node, kubectl, Path(folder, "repository"))
            done = attack.run(app)
            stopped = done.returncode == attack.code and attack.says in seen(done)
            yield _row(attack.name, attack.by, attack.stopped_by, stopped, done, attack.says)
            kubectl.run("delete", "namespace", app.namespace, "--wait=false", "--ignore-not-found")


def _app(node: Node, kubectl: Kubectl, folder: Path) -> App:
    folder.mkdir()
    (folder / "kust").mkdir()

    def write(texts: dict[str, str]) -> Path:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return folder

    project = f"t-{uuid.uuid4().hex[:8]}"
    return App(Envctl(node.kubeconfig, folder), node, kubectl, project, write)


def _account(node: Node, kubectl: Kubectl) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, set_up(node, kubectl, Path(folder)) as setup:
        built = walls.build(setup)
        for attack in account.ALL:
            done = built.attempt(attack)
            words = tuple(map(built.real, attack.words))
            stopped = done.returncode != 0 and any(word in done.stderr for word in words)
            policies = " or ".join(f"`envctl-{policy}`" for policy in attack.policies)
            guard = f"policy {policies}" if policies else attack.stopped_by
            yield _row(attack.name, attack.by, guard, stopped, done, "")
        walls.tear_down(built)


def _row(name: str, by: str, guard: str, stopped: bool, done: Finished, says: str) -> str:
    said = _sentence(done, says).replace("|", "\\|")
    return f"| {name} | {by} | {guard if stopped else 'NOT STOPPED'} | {done.returncode} | {said} |"


def _sentence(done: Finished, says: str) -> str:
    """The part of what was printed that tells why, without names that change from run to run."""
    text = done.stderr if not says else seen(done)
    if says:
        line = next((x for x in re.split(r'\n|(?<=\.)"? |", "|why="', text) if says in x), says)
    else:
        line = text.strip().splitlines()[-1] if text.strip() else ""
        line = re.split(r"denied request: |is forbidden: |\(Forbidden\): ", line)[-1]
    line = re.sub(r"t-[0-9a-f]{8}", "shop", line).strip(' "')
    line = re.sub(r"/tmp/\w+/", "/builds/", line)
    return line if len(line) <= WIDTH else f"{line[:WIDTH].rstrip()} …"


if __name__ == "__main__":
    sys.exit(main())
