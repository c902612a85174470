"""The picture of the house: its layers from the import contract, its rooms from the code.

What is drawn is what holds: the layers are those that the linter enforces, each room's sentence is
its package's own, and an arrow stands only where one package really imports the other.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent

WIDTH, LEFT, TOP = 960, 24, 56
# A room that has the row to itself is low; three in a row have to wrap their sentences.
LOW, HIGH, GAP = 48, 88, 30
HOUSE_WIDTH = 640
COLOURS = {"outside": "#fff3e0", "core": "#e8f0fe", "edge": "#e8f5e9"}
OUTSIDE = {"cli", "output"}
EDGE = {"adapters"}

WAY_TITLE = "One value's way through it"
#: The room it is in, and what happens to it there.
WAY = (
    ("config", "CI_COMMIT_REF_NAME is read and made a slug, by GitLab's own rule"),
    ("model", "It becomes Environment.name, valid from here on and frozen"),
    ("workflow", "Steps are made for it, before anything is written"),
    ("ports", "A step asks for what it needs by protocol"),
    ("adapters", "The adapter writes it as the label envctl.dev/name on the Namespace"),
    ("output", "What comes back is events: a line of the tree, a logfmt line, a metric"),
)


def picture() -> str:
    """The whole SVG; the same code gives the same text."""
    layers = _layers()
    graph = grimp.build_graph("envctl")
    rooms = _rooms(layers)
    shapes = [
        _arrow(rooms[upper], rooms[lower])
        for row, names in enumerate(layers[:-1])
        for upper in names
        if _imports_any(graph, upper, [name for below in layers[row + 1 :] for name in below])
        for lower in layers[row + 1]
    ]
    shapes += [_room(name, box) for name, box in rooms.items()]
    shapes += [_number(index, rooms[name]) for index, (name, _) in enumerate(WAY, start=1)]
    shapes += _legend()
    height = max(y + tall for _, y, _, tall in rooms.values()) + LEFT
    return "\n".join([_head(height), *shapes, "</svg>", ""])


def _layers() -> list[list[str]]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [c["layers"] for c in contracts["contracts"] if c["type"] == "layers"]
    return [sorted(part.strip().split(".")[-1] for part in layer.split("|")) for layer in layers]


#: Left, top, width and height.
Box = tuple[float, float, float, float]


def _rooms(layers: list[list[str]]) -> dict[str, Box]:
    """Name → its room, top row first."""
    rooms = {}
    y = TOP
    for names in layers:
        # The workflow stands in the middle: everything above and below it is in line with it.
        ordered = ["adapters", "workflow", "output"] if "workflow" in names else names
        width = (HOUSE_WIDTH - GAP * (len(ordered) - 1)) / len(ordered)
        tall = LOW if len(ordered) == 1 else HIGH
        for column, name in enumerate(ordered):
            rooms[name] = (LEFT + column * (width + GAP), y, width, tall)
        y += tall + GAP
    return rooms


def _imports_any(graph: grimp.ImportGraph, importer: str, others: list[str]) -> bool:
    return any(
        graph.direct_import_exists(
            importer=f"envctl.{importer}", imported=f"envctl.{other}", as_packages=True
        )
        for other in others
    )


def _sentence(name: str) -> str:
    package = ROOT / "envctl" / name
    source = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    doc = ast.get_docstring(ast.parse(source.read_text())) or ""
    return doc.split("\n\n")[0].replace("``", "")


def _head(height: int) -> str:
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" \
font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="The layers of envctl">
<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">\
<path d="M0,0 L6,3 L0,6 z" fill="#5f6368"/></marker></defs>
<rect width="{WIDTH}" height="{height}" fill="#ffffff" rx="8"/>
<text x="{LEFT}" y="32" font-size="17" font-weight="600" fill="#202124">\
The house: imports point one way</text>"""


def _room(name: str, box: Box) -> str:
    x, y, width, tall = box
    kind = "outside" if name in OUTSIDE else "edge" if name in EDGE else "core"
    lines = textwrap.wrap(
        _sentence(name), int(width / (6.9 if tall == HIGH else 6.3)), max_lines=4, placeholder=" …"
    )
    text = "".join(
        f'<tspan x="{x + 12:.0f}" dy="14">{escape(line, quote=False)}</tspan>' for line in lines
    )
    return (
        f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{tall}" rx="6" '
        f'fill="{COLOURS[kind]}" stroke="#9aa0a6"/>\n'
        f'<text x="{x + 12:.0f}" y="{y + 20}" fill="#202124">'
        f'<tspan font-weight="600" font-size="14">{name}</tspan>{text}</text>'
    )


def _arrow(upper: Box, lower: Box) -> str:
    start_x, end_x = upper[0] + upper[2] / 2, lower[0] + lower[2] / 2
    if lower[2] > upper[2]:  # straight down into a wider room
        end_x = start_x
    elif upper[2] > lower[2]:
        start_x = end_x
    return (
        f'<line x1="{start_x:.0f}" y1="{upper[1] + upper[3]}" x2="{end_x:.0f}" '
        f'y2="{lower[1] - 3}" stroke="#5f6368" stroke-width="1.5" marker-end="url(#tip)"/>'
    )


def _number(index: int, box: Box) -> str:
    return _circle(index, box[0] + box[2] - 16, box[1] + 16)


def _circle(index: int, x: float, y: float) -> str:
    return (
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="10" fill="#c5221f"/>'
        f'<text x="{x:.0f}" y="{y + 4:.0f}" fill="#ffffff" text-anchor="middle" '
        f'font-weight="600">{index}</text>'
    )


def _legend() -> list[str]:
    x = LEFT + HOUSE_WIDTH + 34
    style = 'font-size="14" font-weight="600" fill="#202124"'
    shapes = [f'<text x="{x}" y="{TOP + 14}" {style}>{WAY_TITLE}</text>']
    y = TOP + 42
    for index, (_, text) in enumerate(WAY, start=1):
        shapes.append(_circle(index, x + 10, y))
        lines = textwrap.wrap(text, 34)
        spans = "".join(f'<tspan x="{x + 30}" dy="15">{line}</tspan>' for line in lines)
        shapes.append(f'<text x="{x + 30}" y="{y - 11}" fill="#3c4043">{spans}</text>')
        y += 15 * len(lines) + 22
    return shapes
