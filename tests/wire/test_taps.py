import json

import pytest

from farthing.types import Facts, Usage
from farthing.wire import sse
from farthing.wire.openai_chat import ChatTap
from farthing.wire.routes import wire_for


def chat_tap(**facts):
    return wire_for("POST", "/v1/chat/completions").tap(Facts(stream=True, **facts))


def chunk(content=None, *, finish=None, **fields):
    choices = [{"index": 0, "delta": {"content": content} if content is not None else {}, "finish_reason": finish}]
    body = {"id": "c", "model": "m", "choices": choices, "usage": None} | fields
    return sse.render(json.dumps(body, separators=(",", ":")).encode())


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE_CHUNK = chunk(choices=[], usage=USAGE)


def test_usage_on_chunk_with_choices():
    last = chunk("b", finish="stop", usage=USAGE)
    tap = chat_tap()
    assert (
        tap.feed(chunk("a")) + tap.feed(last) + tap.feed(b"data: [DONE]\n\n") == chunk("a") + last + b"data: [DONE]\n\n"
    )
    assert tap.outcome(ended=True).usage == Usage(input=3, output=2)


def test_the_usual_chunk_is_passed_on_as_the_same_object():
    tap = chat_tap()
    tap.feed(chunk("a"))
    usual = chunk('b "usage" "error" [done]')
    assert tap.feed(usual) is usual


def test_only_the_usage_chunk_is_taken_out_of_a_packet():
    tap = chat_tap()
    packet = chunk("a") + chunk(finish="stop") + USAGE_CHUNK + b"data: [DONE]\n\n"
    assert tap.feed(packet) == packet.replace(USAGE_CHUNK, b"")
    assert tap.outcome(ended=True).complete


def test_half_an_event_is_held_until_it_is_known():
    tap = chat_tap()
    tap.feed(chunk("a"))
    assert tap.feed(USAGE_CHUNK[:50]) == b""
    assert tap.feed(USAGE_CHUNK[50:]) == b""
    half = chunk("b")[:20]
    assert tap.feed(half) == b""
    assert tap.rest() == half


def test_a_usage_chunk_without_its_blank_line_is_withheld_and_counted():
    tap = chat_tap()
    tap.feed(chunk("a"))
    assert tap.feed(USAGE_CHUNK[:-2]) == b""
    assert tap.outcome(ended=True).usage == Usage(input=3, output=2)
    assert tap.rest() == b""


def test_an_error_beside_usage_is_never_withheld():
    event = chunk(choices=[], usage=USAGE, error={"code": "overloaded"})
    tap = chat_tap()
    assert tap.feed(event) == event
    assert tap.outcome(ended=True).error == "overloaded"


def test_null_usage_after_the_totals_does_not_erase_them():
    tap = chat_tap()
    tap.feed(chunk("a") + USAGE_CHUNK + chunk(finish="stop") + b"data: [DONE]\n\n")
    assert tap.outcome(ended=True).usage == Usage(input=3, output=2)


@pytest.mark.parametrize(
    "junk", [b"data: {broken\n\n", b"data: [1]\n\n", b"data: null\n\n", b'data: {"choices":5,"usage":7}\n\n']
)
def test_what_is_not_understood_passes(junk):
    tap = chat_tap()
    assert tap.feed(junk) == junk
    assert tap.outcome(ended=True).usage is None


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_junk_in_other_streams_passes(path):
    tap = wire_for("POST", path).tap(Facts(stream=True))
    for junk in (b"data: {broken\n\n", b"data: 5\n\n", b'data: {"type":5,"response":5,"message":5,"usage":5}\n\n'):
        assert tap.feed(junk) is junk
    assert tap.outcome(ended=True).complete is False


@pytest.mark.parametrize(
    ("delta", "counts"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({"content": "a"}, True),
        ({"reasoning_content": "a"}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"refusal": "no"}, True),
        ({}, False),
    ],
)
def test_first_token(delta, counts):
    tap = chat_tap()
    tap.feed(chunk(choices=[{"index": 0, "delta": delta}]))
    assert tap.first_token is counts


def test_over_the_limit_the_text_is_kept_and_the_bytes_are_not():
    tap = ChatTap(hide_usage=True)
    tap._limit = 2000
    said = ""
    for number in range(200):
        said += f"{number} "
        event = chunk(f"{number} ")
        tap.feed(event[:30])
        tap.feed(event[30:])
        assert sum(map(len, tap._kept)) < 2600
    tap.feed(USAGE_CHUNK + b"data: [DONE]\n\n")
    assert tap.text() == said
    assert tap.recorded() is None
    outcome = tap.outcome(ended=True)
    assert (outcome.usage, outcome.complete) == (Usage(input=3, output=2), True)


def test_cut_stream_keeps_what_is_known(golden):
    tap = wire_for("POST", "/v1/messages").tap(Facts(stream=True))
    tap.feed(golden("anthropic.messages/cut_in_the_middle.sse"))
    outcome = tap.outcome(ended=False)
    assert outcome.usage is not None
    assert outcome.usage.cache_read == 1000
    assert outcome.partial_usage
    assert not outcome.complete
    assert tap.text() == "Grüße"


def test_overloaded_inside_stream(golden):
    for path, name, error in (
        ("/v1/messages", "anthropic.messages/overloaded.sse", "overloaded_error"),
        ("/v1/chat/completions", "openai.chat/error_event.sse", "server_error"),
        ("/v1/responses", "openai.responses/error_event.sse", "server_error"),
    ):
        stream = golden(name)
        tap = wire_for("POST", path).tap(Facts(stream=True))
        assert tap.feed(stream) + tap.rest() == stream
        outcome = tap.outcome(ended=True)
        assert (outcome.error, outcome.complete) == (error, False)


def test_asking_twice_gives_the_same_answer(golden):
    for path, name in (
        ("/v1/messages", "anthropic.messages/complete.sse"),
        ("/v1/responses", "openai.responses/complete.sse"),
    ):
        stream = golden(name)
        tap = wire_for("POST", path).tap(Facts(stream=True))
        for at in range(0, len(stream), 40):
            tap.feed(stream[at : at + 40])
            tap.outcome(ended=False)
        whole = wire_for("POST", path).tap(Facts(stream=True))
        whole.feed(stream)
        assert tap.outcome(ended=True) == whole.outcome(ended=True)


@pytest.mark.parametrize(
    "usage", [b'{"usage": {"prompt_tokens": 3}}', b'{"choices": [], "usage": {"total_tokens": 3}}']
)
def test_a_recorded_usage_chunk_is_found_however_it_is_spaced(usage):
    wire = wire_for("POST", "/v1/chat/completions")
    stream = b"data: %b\n\ndata: [DONE]\n\n" % usage
    assert wire.restream(stream, include_usage=False) == [b"data: [DONE]\n\n"]
    assert wire.tap(Facts(stream=True)).feed(stream) == b"data: [DONE]\n\n"
