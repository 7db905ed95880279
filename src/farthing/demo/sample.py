"""The bundled sample of real questions, meetings and records. NOTICE names their authors and licences."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, TypeVar

import msgspec

Json = dict[str, Any]
_T = TypeVar("_T")


class Question(msgspec.Struct, frozen=True):
    """One question; ``group`` is its intent, subject or conversation."""

    set: str
    text: str
    group: str = msgspec.field(name="class")


class Meeting(msgspec.Struct, frozen=True):
    """The beginning of a meeting, and what was asked about it."""

    id: str
    text: str
    questions: tuple[str, ...]


class Record(msgspec.Struct, frozen=True):
    """What a tool of an order system answers: ``retail_order`` or ``retail_product``."""

    kind: str = msgspec.field(name="class")
    payload: Json


class Sample(msgspec.Struct, frozen=True):
    """Everything that traffic is made of."""

    questions: tuple[Question, ...]
    meetings: tuple[Meeting, ...]
    records: tuple[Record, ...]

    def of(self, name: str) -> list[Question]:
        """The questions of a set, in order."""
        return [question for question in self.questions if question.set == name]


def load_sample() -> Sample:
    """Reads the sample from the package."""
    return Sample(
        questions=tuple(_rows("questions", Question)),
        meetings=tuple(_rows("meetings", Meeting)),
        records=tuple(_rows("records", Record)),
    )


def prompt(name: str) -> str:
    """One of the company's system prompts."""
    return files("farthing.demo").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()


def _rows(name: str, kind: type[_T]) -> Iterator[_T]:
    packed = files("farthing.demo").joinpath("data", f"{name}.jsonl.gz").read_bytes()
    for line in gzip.decompress(packed).splitlines():
        yield msgspec.json.decode(line, type=kind)
