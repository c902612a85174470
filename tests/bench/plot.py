"""A small picture of how something grows: panels side by side, both axes in powers of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 240, 200, 52, 56, 34
_STYLE = (
    "text{font:12px sans-serif;fill:#24292f}.title{font-weight:bold}.grid{stroke:#d0d7de}"
    ".line{fill:none;stroke:#0969da;stroke-width:2}.dot{fill:#0969da}"
)


@dataclass(frozen=True)
class Panel:
    """One measure; points are (number, value), all above zero."""

    title: str
    points: list[tuple[float, float]]


def picture(title: str, panels: list[Panel]) -> str:
    """The SVG."""
    width = len(panels) * (_WIDTH + _LEFT) + 20
    height = _HEIGHT + _TOP + _BOTTOM
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(10, 20, title, "title"),
    ]
    for index, panel in enumerate(panels):
        parts += _panel(panel, index * (_WIDTH + _LEFT) + _LEFT)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, left: float) -> list[str]:
    across = _decades([x for x, _ in panel.points])
    up = _decades([y for _, y in panel.points])

    def x(value: float) -> float:
        return left + _WIDTH * _part(value, across)

    def y(value: float) -> float:
        return _TOP + _HEIGHT * (1 - _part(value, up))

    parts = [_text(left, _TOP - 12, panel.title)]
    for power in range(across[0], across[1] + 1):
        at = x(10.0**power)
        parts += [
            _grid(at, _TOP, at, _TOP + _HEIGHT),
            _text(at - 8, _TOP + _HEIGHT + 18, _tick(power)),
        ]
    for power in range(up[0], up[1] + 1):
        at = y(10.0**power)
        parts += [_grid(left, at, left + _WIDTH, at), _text(left - 44, at + 4, _tick(power))]
    line = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in panel.points)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for a, b in panel.points:
        said = f"<title>{a:g}: {b:.3g}</title>"
        parts.append(f'<circle class="dot" cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.5">{said}</circle>')
        parts.append(_text(x(a) - 10, y(b) - 8, f"{b:.3g}"))
    return parts


def _decades(values: list[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _part(value: float, decades: tuple[int, int]) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])


def _tick(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, name: str = "") -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
