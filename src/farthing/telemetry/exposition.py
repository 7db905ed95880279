"""The text format of Prometheus (0.0.4). Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram"]
Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """A value and its labels. ``suffix`` is what a histogram's parts have after the name: ``_bucket``, ``_sum`` …"""

    labels: Labels
    value: int | str
    """A whole number, or a decimal as text: money is not rounded on its way out."""
    suffix: str = ""


class Family(NamedTuple):
    """A metric: its name, and all of its samples."""

    name: str
    kind: Kind
    text: str
    samples: Sequence[Sample]


def exposition(families: Iterable[Family]) -> bytes:
    """The text; a family without samples is left out."""
    lines = [line for family in families if family.samples for line in _lines(family)]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _lines(family: Family) -> Iterable[str]:
    yield f"# HELP {family.name} {_escaped(family.text)}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels)
        yield (
            f"{family.name}{sample.suffix}{{{labels}}} {sample.value}"
            if labels
            else (f"{family.name}{sample.suffix} {sample.value}")
        )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
