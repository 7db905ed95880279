import msgspec
import pytest

from farthing.wire.translate.chat_request import read, write
from farthing.wire.translate.conversation import Traits
from farthing.wire.translate.particular import is_particular, refuses

MISTRAL = Traits(call_ids="mistral", without=frozenset({"stream_options", "seed", "messages.refusal", "messages.name"}))
DEEPSEEK = Traits(json_schema="tool")
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
SHAPED = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}}


def called(key):
    call = {"id": key, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": key, "content": "1"}]
    return {"messages": [*ASK["messages"], *turns]}


@pytest.mark.parametrize(
    ("traits", "more", "refused"),
    [
        (MISTRAL, {}, False),
        (MISTRAL, {"stream": True}, False),
        (MISTRAL, {"stream": True, "stream_options": {"include_usage": True}}, True),
        (MISTRAL, {"seed": 1}, True),
        (MISTRAL, SHAPED, False),
        (MISTRAL, called("D681PevKs"), False),
        (MISTRAL, called("call_0123456789"), True),
        (MISTRAL, {"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]}, True),
        (MISTRAL, {"messages": [*ASK["messages"], {"role": "assistant", "content": "Hm", "refusal": None}]}, True),
        (DEEPSEEK, called("call_0123456789"), False),
        (DEEPSEEK, {"response_format": {"type": "json_object"}}, False),
        (DEEPSEEK, {"response_format": None}, False),
        (DEEPSEEK, SHAPED, True),
        (Traits(), SHAPED | called("call_0123456789") | {"seed": 1}, False),
    ],
)
def test_what_is_refused_and_written_again_is_not(traits, more, refused):
    body = msgspec.json.encode(ASK | more)
    assert refuses(traits, body) is refused
    assert not refuses(traits, write(read(body), traits).body)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"messages": 1}'])
def test_what_cannot_be_read_is_the_endpoint_s_business(body):
    assert not refuses(MISTRAL, body)


def test_a_refusal_is_said_where_messages_have_no_field_for_it():
    turns = [*ASK["messages"], {"role": "assistant", "content": None, "refusal": "I would rather not."}]
    named = {"role": "user", "name": "Ann", "content": "Why?"}
    written = write(read(msgspec.json.encode(ASK | {"messages": [*turns, named]})), MISTRAL)
    said = msgspec.json.decode(written.body)["messages"]
    assert said[1] == {"role": "assistant", "content": "I would rather not."}
    assert said[2] == {"role": "user", "content": "Why?"}
    assert "messages.name" in written.dropped


def test_who_refuses_anything():
    assert is_particular(MISTRAL)
    assert is_particular(DEEPSEEK)
    assert not is_particular(Traits(limit_field="max_tokens", max_output=8))
