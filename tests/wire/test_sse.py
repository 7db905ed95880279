import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire import sse

_PIECES = st.sampled_from([b"\n", b"\r", b"\r\n", b"data: a", b"data:b", b": note", b"event: x", "ü👋".encode(), b" "])
STREAMS = st.lists(_PIECES, max_size=20).map(b"".join)


def fed(chunks: list[bytes]) -> tuple[list[bytes], bytes]:
    events = sse.Events()
    return [event for chunk in chunks for event in events.feed(chunk)], events.rest


@given(STREAMS, st.data())
def test_however_a_stream_is_split_the_events_are_the_same(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = fed([stream])
    assert fed(chunks) == whole
    assert fed([stream[i : i + 1] for i in range(len(stream))]) == whole


@given(STREAMS)
def test_no_byte_is_lost(stream):
    events, rest = fed([stream])
    assert b"".join(events) + rest == stream
    assert sse.split(stream) == [*events, *([rest] if rest else [])]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_an_event(end):
    stream = end.join([b"event: x", b"data: 1", b"data: 2", b"", b"data: 3", b"", b"data: 4"])
    events, rest = fed([stream])
    assert [sse.data_of(event) for event in events] == [b"1\n2", b"3"]
    assert sse.name_of(events[0]) == "x"
    assert sse.data_of(rest) == b"4"


def test_a_cr_at_the_end_waits_for_its_lf():
    events = sse.Events()
    assert events.feed(b"data: 1\r\n\r") == []
    assert events.feed(b"\ndata: 2") == [b"data: 1\r\n\r\n"]


def test_a_character_cut_in_two_is_whole_again():
    stream = "data: Grüße 👋\n\n".encode()
    for at in range(len(stream)):
        (event,), _ = fed([stream[:at], stream[at:]])
        assert (sse.data_of(event) or b"").decode() == "Grüße 👋"


@pytest.mark.parametrize(
    ("event", "data", "name"),
    [
        (b"data: {}\n\n", b"{}", None),
        (b"data:{}\n\n", b"{}", None),
        (b"data:  two\n\n", b" two", None),
        (b"data\n\n", b"", None),
        (b": comment\n\n", None, None),
        (b"\xef\xbb\xbfdata: 1\n\n", b"1", None),
        (b"id: 7\nevent: a\nretry: 10\ndata: 1\n\n", b"1", "a"),
        (b"\ndata: 1\n\n", b"1", None),
        (b"data: 1", b"1", None),
        (b"data: a\ndata: b\n\n", b"a\nb", None),
        (b"database: 1\n\n", None, None),
    ],
)
def test_fields_of_an_event(event, data, name):
    assert sse.data_of(event) == data
    assert sse.name_of(event) == name


def test_render_is_read_back():
    assert sse.data_of(sse.render(b"{}", "ping")) == b"{}"
    assert sse.name_of(sse.render(b"{}", "ping")) == "ping"
    assert sse.render(b"{}") == b"data: {}\n\n"


def test_an_event_in_many_chunks_is_found_once():
    body = b"x" * 100_000
    events, rest = fed([b"data: ", *[body[i : i + 1000] for i in range(0, 100_000, 1000)], b"\n", b"\ndata: 2\n\n"])
    assert [len(event) for event in events] == [100_008, 9]
    assert rest == b""


@pytest.mark.parametrize(
    ("stream", "sound"),
    [
        (b'data: {"a":1}\n\nevent: x\ndata: {}\n\n: note\n\ndata: [DONE]\n\n', True),
        (b'data:{"a":1}\r\n\r\ndata: [DONE]\r\n\r\n', True),
        (b"", True),
        (b'data: {"a":1}\n\ndata: {"a":\n\ndata: [DONE]\n\n', False),
        (b'data: {"a":tru}\n\n', False),
        (b"data: nothing\n\n", False),
        (b'data: {"a":\ndata: 1}\n\n', False),  # allowed, never seen, and a miss is always right
    ],
)
def test_a_stream_with_an_event_that_is_no_json_is_not_sound(stream, sound):
    assert sse.is_sound(stream) is sound
