"""The geometry of the charts, in numbers; ``templates/chart.html`` draws them as SVG.

Widths are percent of the plot, heights pixels: so a chart fills any width and its text keeps its size. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from farthing.dashboard import text

HEIGHT = 220
"""Pixels of the plot, without its axis."""
GAP = 0.28
"""Share of a column's slot that stays empty."""
MOST_LABELS = 8
EDGE = 5
"""Percent from the ends of the axis where a centred label might not fit."""


class Series(msgspec.Struct, frozen=True):
    """One colour of the chart: nano-dollars per bucket."""

    name: str
    values: tuple[int, ...]
    shade: str
    """The CSS class that colours it: ``s0`` (darkest) to ``s4``, ``other``, ``saved``."""

    @property
    def total(self) -> int:
        return sum(self.values)


class Block(msgspec.Struct, frozen=True):
    """One colour of one column: top edge and height in pixels."""

    shade: str
    y: float
    height: float


class Column(msgspec.Struct, frozen=True):
    """One bucket: left edge, width in percent; ``slot`` and ``slot_width`` are the area that shows ``title``."""

    x: float
    width: float
    slot: float
    slot_width: float
    title: str
    blocks: tuple[Block, ...]


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis, at percent (x) or pixels (y). ``minor`` ones are left out where there is no room."""

    at: float
    label: str
    minor: bool = False

    @property
    def anchor(self) -> str:
        """SVG ``text-anchor``: at the ends of the axis a label grows inwards."""
        return "start" if self.at < EDGE else "end" if self.at > 100 - EDGE else "middle"


class Chart(msgspec.Struct, frozen=True):
    """Stacked columns over time, ready to draw."""

    label: str
    """For those who do not see it."""
    series: tuple[Series, ...]
    buckets: tuple[str, ...]
    columns: tuple[Column, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    height: int = HEIGHT


def stacked(label: str, buckets: Sequence[str], ticks: Sequence[str], series: Sequence[Series]) -> Chart:
    """Columns of ``series`` (bottom first), one a bucket; ``buckets`` name them in full, ``ticks`` on the axis."""
    totals = [sum(values) for values in zip(*(one.values for one in series), strict=True)] or [0] * len(buckets)
    step, top = scale(max(totals, default=0))
    return Chart(
        label=label,
        series=tuple(series),
        buckets=tuple(buckets),
        columns=tuple(_column(index, name, len(buckets), top, series) for index, name in enumerate(buckets)),
        x_ticks=tuple(_x_ticks(ticks)),
        y_ticks=tuple(
            Tick(_pixels(HEIGHT - HEIGHT * at / top), text.axis_dollars(at, step)) for at in range(0, top + 1, step)
        ),
    )


def scale(highest: int) -> tuple[int, int]:
    """Step and top of an axis for values up to ``highest``: 1, 2 or 5 times a power of ten, at most five steps.

    >>> scale(870), scale(0)
    ((200, 1000), (1, 1))
    """
    step = 1
    while step * 5 < highest:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step, step * max(1, -(-highest // step))


def _column(index: int, name: str, number: int, top: int, series: Sequence[Series]) -> Column:
    slot = 100 / number
    blocks: list[Block] = []
    below = 0
    for one in series:
        value = max(0, one.values[index])
        if value:
            y = HEIGHT - HEIGHT * (below + value) / top
            blocks.append(Block(one.shade, _pixels(y), _pixels(HEIGHT * value / top)))
        below += value
    return Column(
        x=_percent(slot * (index + GAP / 2)),
        width=_percent(slot * (1 - GAP)),
        slot=_percent(slot * index),
        slot_width=_percent(slot),
        title=_title(index, name, series),
        blocks=tuple(blocks),
    )


def _title(index: int, name: str, series: Sequence[Series]) -> str:
    lines = [f"{one.name}: {text.dollars(one.values[index])}" for one in reversed(series) if one.values[index]]
    return "\n".join([name, *(lines or ["nothing spent"])])


def _x_ticks(labels: Sequence[str]) -> list[Tick]:
    """At most ``MOST_LABELS`` labels, evenly spaced and always the last one; every second one is minor."""
    number = len(labels)
    every = max(1, -(-number // MOST_LABELS))
    shown = range(number - 1, -1, -every)
    return [
        Tick(_percent(100 * (index + 0.5) / number), labels[index], minor=bool(place % 2))
        for place, index in reversed(list(enumerate(shown)))
    ]


def _percent(value: float) -> float:
    return round(value, 3)


def _pixels(value: float) -> float:
    return round(value, 1)
