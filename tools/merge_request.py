"""Record what a merge request shows of a real run on examples/shop: its note, and the job's log.

    .venv/bin/python tools/merge_request.py [CLUSTER]

The embedded cluster must run (`envctl local start`). The forge is the GitLab of the contract tests;
the note is drawn from the Markdown that it was sent, the log from the section markers in it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from picture import ENVCTL, IMAGES, ROOT, SHOP, variables
from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text
from screen import svg

sys.path.insert(0, str(ROOT))
from tests.contract.gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS = 110
NAME = "mr-12"
_START = re.compile(r"\x1b\[0Ksection_start:(\d+):([^\r\[]+)(\[collapsed=true\])?\r\x1b\[0K(.*)")
_END = re.compile(r"\x1b\[0Ksection_end:(\d+):([^\r]+)\r\x1b\[0K")
_DETAILS = re.compile(r"<details><summary>(.*?)</summary>.*?</details>", re.DOTALL)


def main() -> int:
    """Run `up` as a job of a merge request, draw what it left, and take the environment away."""
    cluster = sys.argv[1] if len(sys.argv) > 1 else "default"
    context = "envctl-local" if cluster == "default" else f"envctl-local-{cluster}"
    with tempfile.TemporaryDirectory() as folder:
        gitlab = GitLab(Path(folder), prefix="")
        gitlab.project.open(12, "feature/packing")
        gitlab.start()
        env = {
            **variables(cluster), **gitlab.variables(iid=12), "CI_DEFAULT_BRANCH": "main",
            "ENVCTL_NAME": NAME, "ENVCTL_CONTEXT": context,
        }  # fmt: skip
        up = subprocess.run([ENVCTL, "up"], cwd=SHOP, env=env, check=False, capture_output=True)
        body = gitlab.project.merge_requests[12].notes[0].body
        IMAGES.joinpath("note.svg").write_text(svg(note(body), "merge request 12", COLUMNS))
        rows = list(log((up.stderr + up.stdout).decode()))
        IMAGES.joinpath("job-log.svg").write_text(svg(rows, "job log", COLUMNS))
        subprocess.run([ENVCTL, "down", "--no-report"], cwd=SHOP, env=env, check=True)
        gitlab.stop()
    return up.returncode


def note(body: str) -> list[Text]:
    """The note as it reads, its folds closed."""
    shown = _DETAILS.sub(r"▸ \1", re.sub(r"<!--.*?-->", "", body)).replace("&#124;", "|")
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor")
    with console.capture() as captured:
        console.print(Markdown(shown, code_theme="monokai"))
    return [Text.from_ansi(line) for line in captured.get().splitlines()]


def log(output: str) -> Iterable[Text]:
    """The lines of the log as GitLab shows them: a folded section is its heading and its time."""
    folded = ""
    began: dict[str, int] = {}
    for line in output.split("\n"):  # a marker has a carriage return in it
        if start := _START.match(line):
            began[start[2]] = int(start[1])
            folded = start[2] if start[3] else ""
            yield Text(f"{'▸' if folded else '▾'} {start[4]}", style="bold cyan", no_wrap=True)
        elif end := _END.match(line):
            folded = "" if end[2] == folded else folded
        elif not folded:
            cut = line if len(line) < COLUMNS else f"{line[: COLUMNS - 1]}…"
            yield Text(cut, no_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
