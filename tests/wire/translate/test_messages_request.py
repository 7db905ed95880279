"""Requests to Anthropic's messages API, read and written."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.wire.translate.conversation import (
    Conversation,
    Document,
    Message,
    Text,
    Tool,
    Traits,
)
from farthing.wire.translate.messages_request import read, write

from . import strategies as some

PLAIN = Traits(max_output=8192)
ASK = (Message("user", (Text("How are you?"),)),)


def asked(**fields) -> Conversation:
    return Conversation("m", fields.pop("messages", ASK), **fields)


def body(conversation, traits=PLAIN) -> dict:
    return json.loads(write(conversation, traits).body)


def request(**fields) -> bytes:
    return json.dumps(
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]} | fields
    ).encode()


def said(*blocks, role="user") -> bytes:
    return request(messages=[{"role": role, "content": list(blocks)}])


everything = some.conversations(
    some.dialogues(
        some.cached_texts
        | some.images
        | st.builds(Document, text=some.words, name=st.none() | some.words, cache=some.ttls)
        | st.builds(Document, url=st.just("https://example.com/a.pdf")),
        some.cached_texts,
        some.cached_texts | some.images,
        thought=some.signed,
        more=True,
    ),
    system=some.cached_texts,
    offered=st.builds(Tool, some.names, st.none() | some.words, some.schemas.map(some.raw), st.none(), some.ttls),
)


@settings(max_examples=50)
@given(everything, st.none() | st.integers(1, 500))
def test_what_anthropic_can_say_crosses_unchanged(conversation, top_k):
    conversation = replace(conversation, top_k=top_k)
    assert some.normal(read(write(conversation, PLAIN).body)) == some.normal(conversation)
    assert write(conversation, PLAIN).dropped == ()
