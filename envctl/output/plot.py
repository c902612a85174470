"""What checks measured, run by run, beside what their gates demand: a picture for a browser.

A gate is a panel: a dot for each of the last good runs and one for this run, coloured by the
verdict, with its samples as a bar; the dashed line is what the gate demands of this run.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from envctl.output.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from envctl.model.gates import Verdict
    from envctl.model.result import CheckResult
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder

#: Gates that are drawn; the table of the checks has the others.
MOST = 24
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _PANEL, _TOP = 640, 84, 90, 110, 128, 40
#: Between two labels, so that neither is written over the other.
_LINE = 14
_COLOURS = {"passed": "#2f855a", "failed": "#d1495b", "unknown": "#8a94a6"}
_STYLE = (
    "text{font:12px ui-monospace,monospace;fill:#1f2328}.dim{fill:#656d76}"
    ".line{fill:none;stroke:#8a94a6}.dot{fill:#8a94a6}.limit{stroke:#d97f2f;stroke-dasharray:5 3}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.paper{fill:#0d1117}}"
)


@dataclass(frozen=True, slots=True)
class _Panel:
    """A gate of a check, what the earlier runs measured, and this run's samples."""

    check: str
    gate: Verdict
    before: tuple[float, ...]
    samples: tuple[float, ...]

    @property
    def values(self) -> list[float]:
        """Everything that must be visible."""
        own = [v for v in (self.gate.value, self.gate.limit) if v is not None]
        return [*self.before, *self.samples, *own]


def plot(recorder: Recorder, context: RunContext) -> str:
    """The picture as SVG; one that says so where no check has a gate with numbers."""
    panels = [
        panel
        for check in recorder.checks
        for gate in check.gates
        if (panel := _panel(check, gate)).values
    ][:MOST]
    body = [
        part for index, panel in enumerate(panels) for part in _drawn(panel, _TOP + index * _PANEL)
    ]
    if not panels:
        body = [f'<text x="8" y="{_TOP + 12}" class="dim">no gate has been judged</text>']
    height = _TOP + max(1, len(panels)) * _PANEL
    title = escape(clean(f"envctl {context.verb} {context.env}: what the gates were given"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f"<title>{title}</title><style>{_STYLE}</style>"
        f'<rect class="paper" width="100%" height="100%" fill="#fff"/>'
        f'<text x="8" y="20">{title}</text>{"".join(body)}</svg>\n'
    )


def _panel(check: CheckResult, gate: Verdict) -> _Panel:
    before = [dict(run.metrics).get(gate.metric) for run in check.history]
    samples = dict(check.samples).get(gate.metric, ())
    return _Panel(check.name, gate, tuple(v for v in before if v is not None), samples)


def _drawn(panel: _Panel, top: int) -> list[str]:
    """A title, the axis with its least and greatest value, the runs, and the limit."""
    gate, values = panel.gate, panel.values
    bottom, count = top + 20 + _HEIGHT, len(panel.before) + 1
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, count - 1)
    unit = max(map(abs, values)) or 1.0  # so that nothing overflows, whatever was measured
    low, high = min(values) / unit, max(values) / unit
    margin = (high - low) * 0.1 or 0.1

    def x(index: int) -> float:
        return _LEFT + (index * step if count > 1 else (_WIDTH - _LEFT - _RIGHT))

    def y(value: float) -> float:
        part = (value / unit - low + margin) / (high - low + 2 * margin)
        return bottom - part * _HEIGHT

    colour = _COLOURS.get(gate.result, _COLOURS["unknown"])
    said = escape(clean(f"{panel.check}  {gate.gate}  {gate.result}"))
    found = [
        f'<text x="8" y="{top + 12}"><tspan fill="{colour}">■</tspan> {said}</text>',
        *_scale(sorted({min(values), max(values)}), y),
    ]
    points = [(x(index), y(value)) for index, value in enumerate(panel.before)]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    found += [f'<polyline class="line" points="{line}"/>'] if len(points) > 1 else []
    found += [f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
    now = x(count - 1)
    if gate.limit is not None:
        at = f"{y(gate.limit):.1f}"
        found.append(
            f'<line class="limit" x1="{_LEFT}" y1="{at}" x2="{_WIDTH - _RIGHT}" y2="{at}"/>'
        )
        if gate.value is None or abs(y(gate.limit) - y(gate.value)) >= _LINE:
            found.append(_label("dim", now, y(gate.limit), gate.limit))
    if panel.samples:
        least, most = y(min(panel.samples)), y(max(panel.samples))
        found.append(
            f'<line x1="{now:.1f}" y1="{least:.1f}" x2="{now:.1f}" y2="{most:.1f}" '
            f'stroke="{colour}" stroke-width="6" stroke-opacity="0.35"/>'
        )
    if gate.value is not None:
        at = f"{y(gate.value):.1f}"
        found += [
            f'<circle cx="{now:.1f}" cy="{at}" r="5" fill="{colour}"/>',
            _label("own", now, y(gate.value), gate.value),
        ]
    return found


def _label(kind: str, x: float, y: float, value: float) -> str:
    return f'<text class="{kind}" x="{x + 10:.1f}" y="{y + 4:.1f}">{value:.6g}</text>'


def _scale(ends: list[float], y: Callable[[float], float]) -> list[str]:
    return [
        f'<text class="dim" x="{_LEFT - 10}" y="{y(value) + 4:.1f}" text-anchor="end">'
        f"{value:.6g}</text>"
        for value in ends
    ]
