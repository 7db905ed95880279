import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, Generation

from farthing.langchain.messages import (
    outcome_of,
    prompt_of_messages,
    prompt_of_text,
    read,
    standard_usage,
    usage_of,
    written,
)
from farthing.types import Prompt, Turn, Usage

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
blocks = st.lists(
    st.one_of(st.text(), st.fixed_dictionaries({"type": st.just("text"), "text": st.text(), "lc": values})), max_size=3
)
messages = st.builds(
    AIMessage,
    content=st.one_of(st.text(), blocks),
    response_metadata=st.dictionaries(st.text(), values, max_size=3),
    additional_kwargs=st.dictionaries(st.text(), values, max_size=3),
    id=st.one_of(st.none(), st.text()),
)


@given(st.one_of(st.builds(ChatGeneration, message=messages), st.builds(Generation, text=st.text())))
def test_an_answer_reads_back_as_it_was_or_is_not_kept(generation):
    body = written([generation])
    if body is not None:
        assert read(body) == [generation]
    elif isinstance(generation, Generation) and not isinstance(generation, ChatGeneration):
        raise AssertionError("plain text can always be kept")


def test_texts_that_look_like_objects_of_langchain_s_stay_texts():
    trick = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    kept = ChatGeneration(message=AIMessage("hi", response_metadata={"x": trick}))
    body = written([kept])
    assert body is not None
    assert read(body) == [kept]


@pytest.mark.parametrize(
    "value",
    [
        {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
        [{"lc": 1, "type": "constructor", "id": ["langchain", "chat_models", "openai", "ChatOpenAI"], "kwargs": {}}],
        [{"lc": 1, "type": "constructor", "id": ["builtins", "eval"], "kwargs": {}}],
        json.loads(dumps([SystemMessage("x")])),
        [],
        {},
        5,
    ],
)
def test_nothing_else_is_built(value):
    assert read(json.dumps(value).encode()) is None
    assert read(b"\xff") is None


def test_what_a_prompt_says():
    conversation = [
        SystemMessage("Be brief."),
        HumanMessage(
            [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "http://x"}}]
        ),
        AIMessage("A cat."),
    ]
    said = Prompt("Be brief.", (Turn("user", "What is this?"), Turn("assistant", "A cat.")), attachments=1)
    assert prompt_of_messages(conversation) == said
    assert prompt_of_text(dumps(conversation)) == said
    for text in ("plain", "[1, 2]", '{"a": 1}', "5"):
        assert prompt_of_text(text) == Prompt("", (Turn("user", text),))


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(input=10, output=5)),
        (
            {
                "input_tokens": 100,
                "output_tokens": 50,
                "input_token_details": {"cache_read": 30, "cache_creation": 20, "audio": 5},
                "output_token_details": {"reasoning": 10, "audio": 4},
            },
            Usage(input=45, cache_read=30, cache_write_5m=20, input_audio=5, output=46, output_audio=4, reasoning=10),
        ),
        (
            {
                "input_tokens": 100,
                "output_tokens": 1,
                "input_token_details": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
            },
            Usage(input=50, cache_write_5m=20, cache_write_1h=30, output=1),
        ),
        (
            {"input_tokens": 9, "output_tokens": 0, "input_token_details": {"flex_cache_read": 4, "flex": 5}},
            Usage(input=5, cache_read=4),
        ),
        ({}, None),
    ],
)
def test_langchain_s_usage(usage, wanted):
    assert standard_usage(usage) == wanted


def test_the_provider_s_own_usage_goes_first():
    message = AIMessage(
        "x",
        response_metadata={"usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 5}},
        usage_metadata={"input_tokens": 8, "output_tokens": 4, "total_tokens": 12},
    )
    assert usage_of(message, "anthropic")[0] == Usage(input=3, cache_read=5, output=4)
    other = message.model_copy(update={"response_metadata": {"usage": {"inputTokens": 8}}})
    assert usage_of(other, "bedrock")[0] == Usage(input=8, output=4)
    assert usage_of(AIMessage("x"), "openai") == (None, None)


def test_how_an_answer_ended():
    ended = [ChatGeneration(message=AIMessage("x", response_metadata={"stop_reason": "END_TURN", "model": "m"}))]
    outcome = outcome_of(ended, "bedrock")
    assert (outcome.finish_reason, outcome.model, outcome.has_tool_calls) == ("end_turn", "m", False)
    called = [ChatGeneration(message=AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}]))]
    assert outcome_of(called, "openai").has_tool_calls
    assert outcome_of([], "openai").finish_reason is None
