"""Bar charts as hand-written SVG: one panel a figure, one bar a contender."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LABEL, BAR, GAP, HEAD, FOOT = 860, 230, 22, 8, 46, 18
OURS, OTHERS = "#1f6f54", "#9aa5ad"
STYLE = "text{font:13px system-ui,sans-serif;fill:#222}.t{font-weight:600;font-size:15px}.n{fill:#555}"


def bars(panels: Sequence[tuple[str, Mapping[str, float], str]], note: str) -> str:
    """An SVG of panels ``(title, {label: value}, format)``; bars of one panel share a scale that begins at 0."""
    parts: list[str] = []
    top = 10
    for title, values, form in panels:
        parts += _panel(top, title, values, form)
        top += HEAD + len(values) * (BAR + GAP) + FOOT
    height = top + 24
    parts.append(f'<text class="n" x="12" y="{height - 12}">{escape(note)}</text>')
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    back = f'<style>{STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([opening, back, *parts, "</svg>", ""])


def _panel(top: int, title: str, values: Mapping[str, float], form: str) -> list[str]:
    parts = [f'<text class="t" x="12" y="{top + 24}">{escape(title)}</text>']
    scale = (WIDTH - LABEL - 110) / max([*values.values(), 1e-9])
    for row, (label, value) in enumerate(values.items()):
        y = top + HEAD + row * (BAR + GAP)
        wide = max(value, 0) * scale
        colour = OURS if label.startswith("farthing") else OTHERS
        parts.append(f'<text x="{LABEL - 8}" y="{y + 16}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="{LABEL}" y="{y}" width="{wide:.1f}" height="{BAR}" rx="3" fill="{colour}"/>')
        parts.append(f'<text x="{LABEL + wide + 6:.1f}" y="{y + 16}">{escape(format(value, form))}</text>')
    return parts
