"""A terminal that remembers: runs real commands on a pseudo-terminal and keeps what they showed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READ_BYTES = 65536
FRAME_SECONDS = 0.25
PROMPT = "\x1b[1;32m$\x1b[0m "

# pyte's names for colours that rich knows by another name.
_COLOURS = {"brown": "yellow", "brightbrown": "bright_yellow"}
THEME = TerminalTheme(
    (24, 26, 31),
    (214, 217, 222),
    [
        (72, 76, 84), (224, 108, 117), (126, 199, 127), (229, 192, 123),
        (97, 175, 239), (198, 120, 221), (86, 182, 194), (214, 217, 222),
    ],
    [
        (122, 128, 140), (240, 128, 136), (152, 217, 153), (240, 207, 142),
        (128, 193, 250), (216, 146, 236), (112, 203, 214), (245, 246, 248),
    ],
)  # fmt: skip


@dataclass
class Terminal:
    """A screen of ``columns`` by ``lines`` cells that commands write to one after the other."""

    columns: int
    lines: int
    frames: list[tuple[float, list[Text]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(self.columns, self.lines)
        self._stream = pyte.ByteStream(self._screen)

    def run(self, shown: str, command: list[str], cwd: Path, env: Mapping[str, str]) -> int:
        """Show a prompt with ``shown``, then run ``command`` to its end; returns its exit code."""
        self._feed(f"{PROMPT}{shown}\r\n".encode())
        began = time.monotonic()
        ours, theirs = pty.openpty()
        size = struct.pack("HHHH", self.lines, self.columns, 0, 0)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        with subprocess.Popen(
            command, cwd=cwd, env={**env, **terminal}, stdin=theirs, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            self._record(ours, began)
            code = process.wait()
        os.close(ours)
        self._feed(b"\r\n")
        return code

    def _record(self, terminal: int, began: float) -> None:
        """Feed the screen until the command closes the terminal; keep a frame now and then."""
        kept = began
        while True:
            readable, _, _ = select.select([terminal], [], [], FRAME_SECONDS)
            try:
                data = os.read(terminal, READ_BYTES) if readable else b""
            except OSError:  # Linux says so when the other end is closed
                return
            if readable and not data:
                return
            self._feed(data)
            if time.monotonic() - kept >= FRAME_SECONDS:
                kept = time.monotonic()
                self.frames.append((kept - began, self.now()))

    def _feed(self, data: bytes) -> None:
        self._stream.feed(data)

    def now(self) -> list[Text]:
        """What the screen shows, without the empty lines at its end."""
        rows = [self._row(number) for number in range(self.lines)]
        while rows and not rows[-1].plain.strip():
            rows.pop()
        return rows

    def _row(self, number: int) -> Text:
        text = Text(no_wrap=True, end="")
        for column in range(self.columns):
            cell = self._screen.buffer[number][column]
            text.append(cell.data, _style(cell))
        text.rstrip()
        return text


def _style(cell: pyte.screens.Char) -> Style:
    colour = _COLOURS.get(cell.fg, cell.fg)
    if colour.startswith("bright") and not colour.startswith("bright_"):
        colour = colour.replace("bright", "bright_", 1)
    is_hex = len(colour) == 6 and all(c in "0123456789abcdef" for c in colour)
    return Style(
        color=None if colour == "default" else f"#{colour}" if is_hex else colour,
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
    )


def svg(rows: list[Text], title: str, columns: int) -> str:
    """The rows as a picture of a terminal window."""
    console = Console(record=True, width=columns, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    for row in rows:
        console.print(row, soft_wrap=True)
    # rich's own page fetches a font from elsewhere; a picture must not.
    page = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(
        title=title, theme=THEME, code_format=page, unique_id=title.replace(" ", "-")
    )
