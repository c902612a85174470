"""Record a real run of envctl on examples/shop as the pictures of the README and the docs.

    .venv/bin/python tools/picture.py

The embedded cluster must run (`envctl local start`). The environment is called `picture` and is
taken away at the end; its `down` is in the picture too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from screen import Terminal, svg

if TYPE_CHECKING:
    from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
SHOP = ROOT / "examples" / "shop"
IMAGES = ROOT / "docs" / "images"
ENVCTL = Path(sys.executable).with_name("envctl")
COLUMNS, LINES = 104, 60
STORY = ("up", "up", "down")


def main() -> int:
    """Run the story on one screen and draw it; returns 1 if a command of it failed."""
    environment = variables("default")
    terminal = Terminal(COLUMNS, LINES)
    for verb in STORY:
        code = terminal.run(
            f"envctl {verb} --name picture",
            [str(ENVCTL), verb, "--name", "picture"],
            SHOP,
            environment,
        )
        if code:
            print("\n".join(row.plain for row in terminal.now()))
            return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    timings = [str(ENVCTL), "up", "--name", "timings", "--trace", str(IMAGES / "timings.svg")]
    subprocess.run(timings, cwd=SHOP, env=environment, check=True)
    subprocess.run([str(ENVCTL), "down", "--name", "timings"], cwd=SHOP, check=True)
    (IMAGES / "up.svg").write_text(svg(terminal.now(), "envctl", COLUMNS))
    (IMAGES / "progress.svg").write_text(svg(_busiest(terminal), "envctl up", COLUMNS))
    return 0


def _busiest(terminal: Terminal) -> list[Text]:
    """The frame of the first `up` that has most to say about what is awaited and why."""
    frames = [rows for _, rows in terminal.frames if sum("$ envctl" in r.plain for r in rows) == 1]
    return max(frames, key=_awaited)


def _awaited(rows: list[Text]) -> tuple[int, int]:
    lines = [row.plain for row in rows]
    return sum("waiting" in line for line in lines), sum(map(len, lines))


def variables(cluster: str) -> dict[str, str]:
    """What the examples' own set-up exports, loaded into the cluster as it says."""
    build = [sys.executable, str(SHOP / "build")]
    tars = subprocess.run([*build, "--tars"], check=True, stdout=subprocess.PIPE, text=True).stdout
    for tar in tars.split():
        subprocess.run(
            [ENVCTL, "local", "load", "--name", cluster, tar], check=True, stdout=subprocess.DEVNULL
        )
    exports = subprocess.run(build, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = (line.removeprefix("export ") for line in exports.splitlines())
    return {**os.environ, **dict(line.split("=", 1) for line in lines)}


if __name__ == "__main__":
    sys.exit(main())
