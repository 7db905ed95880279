"""The log: one line an event, and nothing in it that is nobody's business."""

import io
import json
import logging

import pytest

from farthing.errors import StoreError
from farthing.logs import FIELDS, log_to_stderr

KEYS = ("sk-proj-12345678", "fk-AbCdEf_123456", "Bearer abcdef.123456", "AIzaSyA1234567890abcdefghij")


@pytest.fixture
def lines():
    """Set the log up and say something: the lines that it has."""
    root, farthing = logging.getLogger(), logging.getLogger("farthing")
    before = root.handlers[:], root.level, farthing.level, logging.raiseExceptions

    def lines(form, say, level="info"):
        stream = io.StringIO()
        log_to_stderr(form, level, stream)
        say(logging.getLogger("farthing.x"))
        return stream.getvalue().splitlines()

    yield lines
    root.handlers[:], level, own, logging.raiseExceptions = before
    root.setLevel(level)
    farthing.setLevel(own)


def test_an_event_is_a_line(lines):
    (text,) = lines("text", lambda log: log.warning("%s is\nfull", "disk", extra={FIELDS: {"a": 1, "b": None}}))
    assert text.endswith(r" WARNING disk is\nfull a=1")
    (raw,) = lines("json", lambda log: log.warning("%s is\nfull", "disk", extra={FIELDS: {"a": 1, "b": None}}))
    event = json.loads(raw)
    assert event.pop("ts").endswith("Z")
    assert event == {
        "level": "warning", "logger": "farthing.x", "message": "disk is\nfull", "a": 1, "b": None
    }  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
def test_keys_are_blotted_out(lines, form):
    def say(log):
        for key in KEYS:
            log.info("of a library: %s!", key, extra={FIELDS: {"field": f"x {key}"}})
            log.error("%s", OSError(f"cannot open {key}"))

    text = "\n".join(lines(form, say))
    assert [key for key in KEYS if key in text or key.split()[-1] in text] == []
    assert text.count("[secret]") == 3 * len(KEYS)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_trace_of_a_fault_has_places_and_kinds_and_no_text(lines, form):
    def fail():
        try:
            int("how do I top up")
        except ValueError as problem:
            raise StoreError("farthing.db: the disk is full") from problem

    def say(log):
        try:
            fail()
        except StoreError:
            log.exception("it failed")

    said = lines(form, say)
    text = "\n".join(said)
    assert "top up" not in text
    assert "StoreError: farthing.db: the disk is full" in text
    assert "ValueError" in text
    assert f"{__file__}:" in text
    assert " in fail" in text
    assert len(said) == 1 if form == "json" else all(line.startswith("    ") for line in said[1:])


def test_causes_in_a_ring_end():
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    from farthing.logs import Json

    record = logging.LogRecord("farthing", logging.ERROR, "", 0, "x", (), (ValueError, one, None))
    assert json.loads(Json().format(record))["trace"][1:] == ["KeyError", "ValueError"]


def test_of_other_people_s_events_only_the_first_line_is_shown(lines):
    def say(_log):
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: ValueError('top up')")
        logging.getLogger("library").info("nothing is wrong")

    (line,) = lines("text", say)
    assert line.endswith("Task exception was never retrieved")


def test_the_level_is_what_is_worth_a_line(lines):
    def say(log):
        log.debug("d")
        log.info("i")
        log.error("e")

    assert [len(lines("text", say, level)) for level in ("debug", "info", "warning", "error")] == [3, 2, 1, 1]


def test_a_text_that_is_no_unicode_is_logged_all_the_same(lines):
    assert lines("text", lambda log: log.info("\ud800"))[0].endswith(" ?")
    assert json.loads(lines("json", lambda log: log.info("\ud800"))[0])["message"] == "?"
