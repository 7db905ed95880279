from __future__ import annotations

import msgspec
import pytest

from farthing.levers.recall.admit import storable
from farthing.types import Outcome

GOOD = Outcome(finish_reason="stop", complete=True)


def refused(status=200, recorded=b"{}", text="Two metres.", operation="chat", **changes):
    return storable(operation, status, msgspec.structs.replace(GOOD, **changes), recorded, text)


@pytest.mark.parametrize("word", ["stop", "end_turn", "stop_sequence", "completed"])
def test_a_finished_answer_is_stored(word):
    assert refused(finish_reason=word) is None


@pytest.mark.parametrize(
    "word",
    ["length", "max_tokens", "content_filter", "tool_calls", "refusal", "pause_turn", "incomplete", "tomorrow's", None],
)
def test_incomplete_answers_are_not_stored(word):
    assert refused(finish_reason=word) == "finish_reason"


def test_a_broken_stream_is_not_stored():
    assert refused(complete=False) == "incomplete"


def test_errors_are_not_stored():
    assert refused(status=500) == "status"
    assert refused(status=201) == "status"
    assert refused(error="overloaded_error") == "error"


def test_tool_turns_bypass_cache():
    assert refused(has_tool_calls=True) == "tool_calls"


def test_an_answer_that_says_nothing_is_not_stored():
    for text in (None, "", " \n"):
        assert refused(text=text) == "empty"


def test_a_stream_that_outgrew_the_recorder_is_not_stored():
    assert refused(recorded=None) == "too_large"


def test_embeddings_have_no_finish_reason_and_no_text():
    assert refused(operation="embeddings", finish_reason=None, text=None) is None
    assert refused(operation="embeddings", finish_reason=None, complete=False) == "incomplete"
