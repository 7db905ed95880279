"""The log: one line an event, as text or JSON, and nothing in it that is nobody's business.

A fault's trace names places and kinds, and what went wrong only where the words are the system's or our own: an
exception that was raised over somebody's text may carry it. Whatever looks like a key is blotted out.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from typing import Literal, TextIO, cast

import msgspec

from farthing.errors import FarthingError

Form = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]

FIELDS = "_farthing"
"""The attribute of a record that has more than words: name → value."""
TOLD = (FarthingError, OSError, AttributeError, NameError, ImportError)
"""Exceptions whose words are the system's or ours."""
BLOT = "[secret]"
_SECRETS = re.compile(r"\b(?:sk|fk|pk|rk|gsk|xai)-[\w-]{6,}|\bAIza[\w-]{20,}|(?i:\bbearer)\s+[\w.~+/=-]{8,}")


def log_to_stderr(form: Form = "text", level: Level = "info", stream: TextIO | None = None) -> None:
    """From now on. Libraries only when something is wrong."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("farthing").setLevel(level.upper())
    logging.raiseExceptions = False  # a line that cannot be written would be shown with all its arguments


class Text(logging.Formatter):
    """For people. Lines that begin with a blank belong to the one before."""

    def format(self, record: logging.LogRecord) -> str:
        at = self.formatTime(record)
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items() if value is not None)
        return "\n    ".join([_line(f"{at} {record.levelname} {_words(record)}{fields}"), *map(_line, _trace(record))])


class Json(logging.Formatter):
    """For machines: ``ts`` (UTC), ``level``, ``logger``, ``message``, perhaps more, and ``trace`` after a fault."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        event: dict[str, object] = {"ts": at, "level": record.levelname.lower(), "logger": record.name}
        event |= {"message": _clean(_words(record))}
        event |= {name: _clean(value) if isinstance(value, str) else value for name, value in _fields(record).items()}
        if trace := [_clean(line) for line in _trace(record)]:
            event["trace"] = trace
        return msgspec.json.encode(event).decode()


def _words(record: logging.LogRecord) -> str:
    """Of other people's events the first line: further ones show values."""
    text = record.getMessage()
    return text if record.name.partition(".")[0] == "farthing" else text.partition("\n")[0]


def _fields(record: logging.LogRecord) -> Mapping[str, object]:
    return cast("Mapping[str, object]", getattr(record, FIELDS, {}))


def _trace(record: logging.LogRecord) -> list[str]:
    problem = record.exc_info[1] if record.exc_info else None
    if problem is None:
        return []
    return ["Traceback (most recent call last):", *(line for one in _chain(problem) for line in _told(one))]


def _chain(problem: BaseException) -> Iterator[BaseException]:
    """What led to it, and itself; the first cause first."""
    found: list[BaseException] = []
    at: BaseException | None = problem
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    yield from reversed(found)


def _told(problem: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(problem.__traceback__):
        yield f"{frame.filename}:{frame.lineno} in {frame.name}"
    yield f"{type(problem).__name__}: {problem}" if isinstance(problem, TOLD) else type(problem).__name__


def _clean(text: str) -> str:
    return _SECRETS.sub(BLOT, text).encode("utf-8", "replace").decode()


def _line(text: str) -> str:
    """In one line, whatever a client has put into it."""
    cleaned = _clean(text)
    return cleaned if cleaned.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in cleaned)
