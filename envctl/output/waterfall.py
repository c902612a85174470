"""A run's timeline as a picture that any browser shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from envctl.model import timeline
from envctl.output.text import clean
from envctl.output.timings import OUTSIDE, lanes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envctl.model.timeline import Bar, Lane
    from envctl.output.context import RunContext
    from envctl.output.recorder import Recorder

#: Rows of one kind in one step; what goes on beside so many others is in the trace.
_MAX_ROWS = 12
_LEFT, _WIDTH, _ROW, _TOP = 220, 1180, 16, 46
_COLOURS = {
    "step": "#c9d1d9", "helm": "#277a9f", "kustomize": "#6f5bd6", "api": "#8a94a6",
    "pause": "#d1495b", "scheduling": "#e0a72e", "init": "#b5651d", "pull": "#d9743f",
    "start": "#5aa469", "readiness": "#2f855a",
    "run": "#4c78a8",
}  # fmt: skip
_STYLE = (
    "text{font:12px ui-monospace,monospace;fill:#1f2328}.dim{fill:#656d76}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.paper{fill:#0d1117}}"
)


def waterfall(recorder: Recorder, context: RunContext) -> str:
    """The timeline as SVG: a row a step with what it was made of, the deciding steps outlined."""
    lanes = lanes_of(recorder)
    end = max([lane.ended for lane in lanes] + [recorder.elapsed, 0.001])
    scale = (_WIDTH - _LEFT - 20) / end
    body: list[str] = [*_axis(end, scale), *_legend(lanes)]
    y = _TOP + 8
    for lane in lanes:
        drawn, y = _drawn(lane, y, scale)
        body += drawn
    title = escape(clean(f"envctl {context.verb} {context.env}: {end:.1f} s"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 12}" role="img">'
        f"<title>{title}</title><style>{_STYLE}</style>"
        f'<rect class="paper" width="100%" height="100%" fill="#fff"/>{"".join(body)}</svg>\n'
    )


def _drawn(lane: Lane, y: int, scale: float) -> tuple[list[str], int]:
    """A lane's rows from ``y`` on, and where the next lane begins."""
    own = timeline.Bar("step", lane.step or OUTSIDE, lane.began, lane.ended)
    found = [
        f'<text x="8" y="{y + 12}">{escape(clean(own.name))}</text>',
        _rectangle(own, y, scale, outlined=lane.critical),
    ]
    for kind in timeline.KINDS:
        wanted = [bar for bar in lane.bars if bar.kind == kind]
        for number, row in enumerate(timeline.rows(wanted)[:_MAX_ROWS]):
            y += _ROW
            if not number:
                found.append(f'<text class="dim" x="24" y="{y + 12}">{kind}</text>')
            found += [_rectangle(bar, y, scale) for bar in row]
    return found, y + _ROW + 4


def _rectangle(bar: Bar, y: int, scale: float, *, outlined: bool = False) -> str:
    took = bar.ended - bar.began
    edge = ' stroke="#d1495b" stroke-width="1.5"' if outlined else ""
    said = escape(clean(f"{bar.kind} {bar.name}: {took:.2f} s from {bar.began:.2f} s"))
    return (
        f'<rect x="{_LEFT + bar.began * scale:.1f}" y="{y + 2}" width="{max(took * scale, 1):.1f}" '
        f'height="{_ROW - 4}" rx="2" fill="{_COLOURS[bar.kind]}"{edge}><title>{said}</title></rect>'
    )


def _axis(end: float, scale: float) -> list[str]:
    step = next(s for s in (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600, 36000) if end / s <= 12)
    marks = [index * step for index in range(int(end / step) + 1)]
    return [
        f'<text class="dim" x="{_LEFT + mark * scale:.1f}" y="{_TOP - 4}">{mark:g} s</text>'
        for mark in marks
    ]


def _legend(lanes: Sequence[Lane]) -> list[str]:
    kinds = [kind for kind in timeline.KINDS if any(kind in lane.seconds for lane in lanes)]
    found = []
    for index, kind in enumerate(kinds):
        x = _LEFT + index * 105
        found += [
            f'<rect x="{x}" y="8" width="10" height="10" rx="2" fill="{_COLOURS[kind]}"/>',
            f'<text x="{x + 15}" y="17">{kind}</text>',
        ]
    return found
