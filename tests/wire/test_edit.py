import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.wire import edit

_KEYS = st.sampled_from(["model", "stream", "m\u006fdel", "a\\", 'q"', "ü", "{", "nested", ""]) | st.text(max_size=5)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    _SCALARS | st.sampled_from(['"model":', "}]{[", '\\"', "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(_KEYS, VALUES, max_size=6)
STYLES = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"indent": 2},
        {"ensure_ascii": False},
        {"indent": "\t", "separators": (" , ", " : ")},
    ]
)


def reencode_keys(text: str) -> str:
    """The same JSON with the key ``model`` spelled with an escape."""
    return text.replace('"model"', '"mo\\u0064el"')


@given(OBJECTS, STYLES, _KEYS, VALUES, st.booleans())
def test_only_the_key_changes(before, style, key, value, escaped):
    text = json.dumps(before, **style)
    body = (reencode_keys(text) if escaped and "\\" not in text else text).encode()
    after = edit.replace_top_level(body, key, json.dumps(value).encode())
    assert json.loads(after) == json.loads(body) | {key: value}
    assert list(json.loads(after)) == list(json.loads(body) | {key: value})


@given(OBJECTS, STYLES, _KEYS, VALUES)
def test_every_other_byte_is_preserved(before, style, key, value):
    body = json.dumps(before, **style).encode()
    written = json.dumps(value).encode()
    after = edit.replace_top_level(body, key, written)
    if (span := edit.top_level(body, key)) is None:
        end = body.rindex(b"}")
        assert after.startswith(body[:end])
        assert after.endswith(written + body[end:])
    else:
        assert json.loads(body[span[0] : span[1]]) == before[key]
        assert after == body[: span[0]] + written + body[span[1] :]


@given(OBJECTS, STYLES)
def test_members_are_what_json_reads(before, style):
    body = json.dumps(before, **style).encode()
    assert {key: json.loads(body[start:end]) for key, start, end in edit.members(body)} == before


@pytest.mark.parametrize(
    ("body", "key", "after"),
    [
        (b'{"m":1,"m":2}', "m", b'{"m":1,"m":9}'),
        (b'{"m\\u006f":1}', "mo", b'{"m\\u006f":9}'),
        (b'{"n":{"m":1},"m":2}', "m", b'{"n":{"m":1},"m":9}'),
        (b'{"n":{"m":1}}', "m", b'{"n":{"m":1},"m":9}'),
        (b'{"s":"\\"m\\":1","m":2}', "m", b'{"s":"\\"m\\":1","m":9}'),
        (b'{"s":"\\\\","m":2}', "m", b'{"s":"\\\\","m":9}'),
        (b"{}", "m", b'{"m":9}'),
        (b" { } \n", "m", b' { "m":9} \n'),
        (b'{"m" : [1, {"m": "]"}] }', "m", b'{"m" : 9 }'),
        (b'{"m":-1.5e3}', "m", b'{"m":9}'),
        (b'{"a":1 }', "m", b'{"a":1 ,"m":9}'),
    ],
)
def test_tricky_bodies(body, key, after):
    assert edit.replace_top_level(body, key, b"9") == after


@pytest.mark.parametrize("body", [b"[]", b"", b"1", b'"{}"'])
def test_only_objects_can_be_edited(body):
    with pytest.raises(ValueError, match="not a JSON object"):
        edit.replace_top_level(body, "m", b"1")


def test_a_broken_object_is_an_error_not_a_loop():
    with pytest.raises(ValueError):
        edit.replace_top_level(b'{"a":[[1]', "m", b"1")


@pytest.mark.parametrize(
    ("body", "may"),
    [
        (b'{"stream_options":1}', True),
        (b'{"str\\u0065am_options":1}', True),
        (b'{"stream\\u005foptions":1}', True),
        (b'{"a":"\\u00fc"}', False),
    ],
)
def test_a_quick_look_misses_no_spelling(body, may):
    assert edit.may_contain(body, "stream_options") is may


@given(OBJECTS, STYLES, _KEYS, VALUES)
def test_without_the_decoders_help_it_finds_the_same(before, style, key, value):
    """A lone surrogate stops the decoder, not the scan."""
    text = json.dumps(before, **style)
    body = (r'{"\ud83d":1' + ("," if before else "") + text[1:]).encode()
    assert {name: json.loads(body[start:end]) for name, start, end in edit.members(body) if name != "\ud83d"} == before
    after = edit.replace_top_level(body, key, json.dumps(value).encode())
    assert json.loads(after) == json.loads(body) | {key: value}


def test_nothing_can_be_put_into_what_is_no_object():
    with pytest.raises(ValueError, match="not a JSON object"):
        edit.append_top_level(b"[]", "a", b"1")
