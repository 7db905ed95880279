"""What Anthropic demands of a conversation."""

import pytest

from farthing.simulator.signing import signature

SONNET = "claude-sonnet-4-5-20250929"
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": signature(SONNET, "Hm.")}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
TEXT = {"type": "text", "text": "x"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
THINK = {"type": "enabled", "budget_tokens": 1024}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def user(*content):
    return {"role": "user", "content": list(content)}


def model(*content):
    return {"role": "assistant", "content": list(content)}


def loop(*spoken, result=RESULT):
    return [user(TEXT), model(*spoken), user(result)]


async def told(lab, **fields):
    body = {"model": SONNET, "max_tokens": 4000, "messages": [user(TEXT)]} | fields
    status, _, reply = await lab.post("/v1/messages", body)
    return status, reply.get("error", {}).get("message", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": loop(CALL)},
        {"messages": loop(TEXT, CALL)},
        {"messages": [*loop(CALL), model(TEXT), user(TEXT)]},
        {"messages": [user({"type": "image", "source": PNG})]},
        {"messages": [user({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}})]},
        {"messages": [user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}})]},
        {"messages": loop(CALL, result=RESULT | {"content": [TEXT, {"type": "image", "source": PNG}]})},
        {"messages": [user(TEXT), model()]},
        {"messages": loop(THOUGHT, CALL), "thinking": THINK},
        {"messages": loop(THOUGHT, CALL)},
        {
            "messages": [
                *loop(THOUGHT, CALL),
                model(CALL | {"id": "toolu_2"}),
                user(RESULT | {"tool_use_id": "toolu_2"}),
            ],
            "thinking": THINK,
        },
        {"messages": [user(TEXT), model(TEXT), user(TEXT)], "thinking": THINK},
        {"thinking": THINK, "temperature": 1, "tools": [TOOL], "tool_choice": {"type": "auto"}},
        {"thinking": {"type": "disabled"}, "temperature": 0},
    ],
)
async def test_what_is_right_is_taken(lab, fields):
    assert await told(lab, **fields) == (200, "")


@pytest.mark.parametrize(
    ("messages", "word"),
    [
        ([user(TEXT), model(CALL), user(TEXT, RESULT)], "without `tool_result` blocks immediately after"),
        ([user(TEXT), model(CALL), user(RESULT, RESULT)], "single result"),
        ([*loop(CALL), model(CALL), user(RESULT)], "ids must be unique"),
        (loop(CALL | {"id": "call 1"}), "messages.1.content.0.tool_use.id: String should match pattern"),
        (loop(CALL | {"input": "{}"}), "input: Input should be a valid dictionary"),
        ([user({"type": "text", "text": " \n"})], "non-whitespace"),
        ([user()], "all messages must have non-empty content"),
        ([user(TEXT), model({"type": "text", "text": "x "})], "trailing whitespace"),
        ([{"role": "system", "content": "x"}], 'Unexpected role "system"'),
        ([{"role": "user", "content": "x", "name": "y"}], "messages.0.name: Extra inputs"),
        ([user(TEXT | {"annotations": []})], "messages.0.content.0.text.annotations: Extra inputs"),
        ([user({"type": "input_text", "text": "x"})], "Input tag 'input_text'"),
        ([user(CALL)], "`tool_use` blocks can only be in `assistant` messages"),
        ([user(TEXT), model({"type": "image", "source": PNG})], "`image` blocks can only be in `user` messages"),
        ([user({"type": "image", "source": PNG | {"media_type": "image/bmp"}})], "image.source.base64.media_type"),
        ([user({"type": "image", "source": PNG | {"data": "data:image/png;base64,iVBO"}})], "invalid base64 data"),
        ([user({"type": "document", "source": PNG})], "'application/pdf'"),
        ([user({"type": "image", "source": {"type": "url", "url": "x.png"}})], "HTTPS"),
        (loop(CALL, result=RESULT | {"content": [CALL]}), "tool_result.content.0: Input tag 'tool_use'"),
        (loop(THOUGHT | {"thinking": "Hm!"}, CALL), "Invalid `signature` in `thinking` block"),
        (loop(THOUGHT | {"signature": signature("claude-haiku-4-5-20251001", "Hm.")}, CALL), "Invalid `signature`"),
        (loop({"type": "thinking", "thinking": "Hm."}, CALL), "signature: Field required"),
    ],
)
async def test_messages_that_are_refused(lab, messages, word):
    status, message = await told(lab, messages=messages)
    assert status == 400
    assert word in message


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"temperature": -1}, "greater than or equal to 0"),
        ({"temperature": "hot"}, "valid number"),
        ({"top_p": 2}, "top_p"),
        ({"stop_sequences": ["\n"]}, "non-whitespace"),
        ({"metadata": {"feature": "x"}}, "metadata.feature: Extra inputs"),
        ({"system": [{"type": "text", "text": ""}]}, "non-empty"),
        ({"system": [{"type": "image", "source": PNG}]}, "system.0.type"),
        ({"tools": [TOOL | {"name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
        ({"tools": [{"name": "f"}]}, "input_schema: Field required"),
        ({"tools": [TOOL | {"input_schema": {}}]}, "input_schema.type"),
        ({"tools": [TOOL, TOOL]}, "names must be unique"),
        ({"tool_choice": {"type": "any"}}, "only be specified while providing tools"),
        ({"thinking": {"type": "enabled"}}, "budget_tokens: Field required"),
        ({"thinking": {"type": "enabled", "budget_tokens": 100}}, "greater than or equal to 1024"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, "`max_tokens` must be greater"),
        ({"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
        ({"thinking": {"type": "on"}}, "Input tag 'on'"),
        ({"thinking": THINK, "model": "claude-3-haiku-20240307"}, "not supported on this model"),
        ({"thinking": THINK, "temperature": 0}, "`temperature` may only be set to 1"),
        ({"thinking": THINK, "top_k": 5}, "`top_k` must be unset"),
        ({"thinking": THINK, "top_p": 0.5}, "`top_p` must be"),
        ({"thinking": THINK, "tools": [TOOL], "tool_choice": {"type": "any"}}, "forces tool use"),
        (
            {"thinking": THINK, "messages": loop(CALL)},
            "Expected `thinking` or `redacted_thinking`, but found `tool_use`",
        ),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "additionalProperties"),
        ({"output_config": {"format": {"type": "json_object"}}}, "Input should be 'json_schema'"),
        (
            {"model": "claude-3-haiku-20240307", "output_config": {"format": {"type": "json_schema", "schema": {}}}},
            "does not support output format",
        ),
    ],
)
async def test_fields_that_are_refused(lab, fields, word):
    status, message = await told(lab, **fields)
    assert status == 400
    assert word in message


async def test_a_thought_is_taken_back_by_the_model_that_had_it(lab):
    ask = {
        "thinking": THINK,
        "tools": [TOOL],
        "max_tokens": 4000,
        "messages": [user({"type": "text", "text": "Do f."})],
    }
    _, _, first = await lab.post("/v1/messages", {"model": "claude-sonnet-4-5"} | ask)
    assert [block["type"] for block in first["content"]] == ["thinking", "tool_use"]
    turns = [*ask["messages"], model(*first["content"]), user(RESULT | {"tool_use_id": first["content"][1]["id"]})]
    for name, expected in (("claude-sonnet-4-5", 200), ("claude-haiku-4-5", 400)):
        status, _, _ = await lab.post("/v1/messages", ask | {"model": name, "messages": turns})
        assert status == expected


async def test_several_calls_at_once_unless_that_is_off(lab):
    tools = [TOOL | {"name": name} for name in ("look_up", "book_room", "pay")]
    said = [user({"type": "text", "text": "Please look up the price and pay."})]
    for choice, names in (
        ({"type": "auto"}, ["look_up", "pay"]),
        ({"type": "auto", "disable_parallel_tool_use": True}, ["look_up"]),
    ):
        _, _, reply = await lab.message(messages=said, tools=tools, tool_choice=choice)
        assert [block["name"] for block in reply["content"]] == names
