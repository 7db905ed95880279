"""Lines over time as hand-written SVG: one panel a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT, HIGH, HEAD, FOOT = 860, 70, 190, 120, 34, 30
COLOURS = ("#1f6f54", "#b5582a", "#4a6fa5", "#8a6fb0", "#3b3b3b")
STYLE = "text{font:12px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:14px}.n{fill:#666}"
Points = Sequence[tuple[float, float]]


def lines(panels: Sequence[tuple[str, Mapping[str, Points]]], note: str) -> str:
    """An SVG of panels ``(title, {label: points})``; x is minutes, y begins at 0."""
    parts: list[str] = []
    for number, (title, series) in enumerate(panels):
        parts += _panel(number * (HEAD + HIGH + FOOT), title, series)
    height = len(panels) * (HEAD + HIGH + FOOT) + 24
    parts.append(f'<text class="n" x="12" y="{height - 8}">{escape(note)}</text>')
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    back = f'<style>{STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([opening, back, *parts, "</svg>", ""])


def _panel(top: int, title: str, series: Mapping[str, Points]) -> list[str]:
    every = [point for points in series.values() for point in points] or [(0.0, 0.0)]
    last, most = max(x for x, _ in every) or 1.0, max(y for _, y in every) or 1.0
    wide, floor = WIDTH - LEFT - RIGHT, top + HEAD + HIGH
    parts = [f'<text class="t" x="12" y="{top + 22}">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = floor - share * HIGH
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text class="n" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{share * most:,.4g}</text>')
    parts.append(f'<text class="n" x="{LEFT + wide}" y="{floor + 16}" text-anchor="end">{last:,.1f} min</text>')
    for number, (label, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{LEFT + x / last * wide:.1f},{floor - max(y, 0.0) / most * HIGH:.1f}" for x, y in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        y = top + HEAD + 14 + number * 18
        parts.append(f'<text x="{LEFT + wide + 12}" y="{y}" style="fill:{colour}">{escape(label)}</text>')
    return parts
