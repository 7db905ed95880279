"""Requests for Anthropic's messages API: what it insists on."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from farthing.simulator.anthropic_wire import parse_messages
from farthing.simulator.catalog import Model, Price
from farthing.simulator.signing import signature
from farthing.wire.translate.conversation import (
    Choice,
    Conversation,
    Document,
    Format,
    Image,
    Message,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Traits,
)
from farthing.wire.translate.messages_request import read, write

from . import strategies as some

PLAIN = Traits(max_output=8192)
ASK = (Message("user", (Text("How are you?"),)),)
SCHEMA = msgspec.Raw(b'{"type":"object","properties":{"x":{"type":"integer","minimum":1}},"required":["x"]}')
TOOL = Tool("f", "d", SCHEMA)
CALL = ToolCall("a", "f", "{}")
RESULT = ToolResult("a", (Text("r"),))
THOUGHT = Reasoning("t", "s")


def asked(*messages, **fields) -> Conversation:
    return Conversation("m", messages or ASK, **fields)


def user(*parts) -> Message:
    return Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def model(*parts) -> Message:
    return Message("assistant", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def body(conversation, traits=PLAIN) -> dict:
    return json.loads(write(conversation, traits).body)


def turns(*messages) -> list:
    return [(turn["role"], turn["content"]) for turn in body(asked(*messages))["messages"]]


@pytest.mark.parametrize(
    ("wanted", "most", "limit"),
    [(None, None, 4096), (None, 8192, 8192), (100, 8192, 100), (9000, 8192, 8192), (9000, None, 9000), (0, 8192, 0)],
)
def test_max_tokens(wanted, most, limit):
    assert body(asked(max_output=wanted), Traits(max_output=most))["max_tokens"] == limit


def test_turns_alternate_and_begin_with_the_user():
    assert turns(model("a"), model("b"), user("c"), user("d")) == [
        ("user", "(no message)"),
        ("assistant", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ("user", [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]),
    ]


def test_results_come_first_after_their_calls():
    found = turns(
        user("q"), model(CALL, replace(CALL, id="b")), user(RESULT), user("go on"), user(replace(RESULT, call_id="b"))
    )
    assert [block["type"] for block in found[-1][1]] == ["tool_result", "tool_result", "text"]
    assert [role for role, _ in found] == ["user", "assistant", "user"]


def test_empty_texts_are_left_out():
    assert turns(user("a", " "), model(""), user("b"), model("  \n")) == [
        ("user", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
    ]
    assert turns(user("a"), model("b"), user("")) == [("user", "a"), ("assistant", "b"), ("user", "(no message)")]
    result = body(asked(user("q"), model(CALL), user(ToolResult("a", (Text(""),)))))["messages"][-1]["content"][0]
    assert result == {"type": "tool_result", "tool_use_id": "a"}


def test_a_system_prompt_alone_is_what_the_user_says():
    found = body(Conversation("m", (), system=(Text("Translate: x"),)))
    assert found["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Translate: x"}]}]
    assert "system" not in found


def test_the_beginning_of_an_answer_ends_without_white_space():
    assert turns(user("a"), model("b \n")) == [("user", "a"), ("assistant", "b")]
    assert turns(user("a"), model("b \n"), user("c"))[1] == ("assistant", "b \n")


def test_ids_are_what_anthropic_takes_and_belong_together():
    odd = "functions.get_weather:0"
    found = turns(user("q"), model(replace(CALL, id=odd)), user(replace(RESULT, call_id=odd)))
    called, answered = found[1][1][0]["id"], found[2][1][0]["tool_use_id"]
    assert called == answered == "call_79ac1aaab216b228c7ab2241"
    assert turns(user("q"), model(replace(CALL, id="toolu_1-2")))[1][1][0]["id"] == "toolu_1-2"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        (" ", {}),
        ("{", {"input": "{"}),
        ("[1]", {"input": "[1]"}),
        ("1", {"input": "1"}),
    ],
)
def test_arguments_become_an_object(arguments, given):
    assert turns(user("q"), model(replace(CALL, arguments=arguments)))[1][1][0]["input"] == given


def test_what_has_no_place_is_said_or_named():
    spoken = (
        replace(user(Image(url="u", detail="low")), name="Ann"),
        model(Refusal("No."), Reasoning("hm")),
        user(Document("text/csv", "YSxi"), Document("text/csv", "a")),
    )
    written = write(asked(*spoken, dropped=("seed", "name")), PLAIN)
    found = json.loads(written.body)["messages"]
    assert written.dropped == ("seed", "name", "detail", "reasoning")
    assert found[1]["content"] == "No."
    assert found[2]["content"][0]["source"] == {"type": "text", "media_type": "text/plain", "data": "a,b"}
    assert found[2]["content"][1]["source"] == {"type": "base64", "media_type": "text/csv", "data": "a"}


@pytest.mark.parametrize("parameters", [None, b"null", b"{}", b'{"properties":{"x":{}}}'])
def test_the_schema_of_a_tool_is_an_object(parameters):
    tool = Tool("f", parameters=parameters and msgspec.Raw(parameters))
    schema = body(asked(tools=(tool,)))["tools"][0]["input_schema"]
    assert schema["type"] == "object"
    assert "properties" in schema


def test_strict_tools_are_closed():
    tool = replace(TOOL, strict=True)
    found = body(asked(tools=(tool,)))["tools"][0]
    assert found["strict"] is True
    assert found["input_schema"]["additionalProperties"] is False
    written = write(asked(tools=(tool,)), Traits(json_schema="tool"))
    assert written.dropped == ("strict",)
    assert "strict" not in json.loads(written.body)["tools"][0]


@pytest.mark.parametrize(
    ("fields", "choice"),
    [
        ({}, None),
        ({"choice": Choice("auto")}, {"type": "auto"}),
        ({"choice": Choice("any"), "parallel": False}, {"type": "any", "disable_parallel_tool_use": True}),
        ({"choice": Choice("none"), "parallel": False}, {"type": "none"}),
        ({"choice": Choice("tool", "f")}, {"type": "tool", "name": "f"}),
        ({"parallel": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"parallel": True}, None),
    ],
)
def test_tool_choice(fields, choice):
    assert body(asked(tools=(TOOL,), **fields)).get("tool_choice") == choice
    assert "tool_choice" not in body(asked(**fields))


def test_a_schema_as_a_field():
    written = write(asked(format=Format("json_schema", "n", SCHEMA)), PLAIN)
    assert json.loads(written.body)["output_config"] == {
        "format": {
            "type": "json_schema",
            "schema": {
                "properties": {"x": {"type": "integer", "description": "{minimum: 1}"}},
                "type": "object",
                "required": ["x"],
                "additionalProperties": False,
            },
        }
    }
    assert written.answer_tool is None


@pytest.mark.parametrize("traits", [Traits(json_schema="tool"), Traits(without=frozenset({"output_config"}))])
def test_a_schema_as_a_tool(traits):
    written = write(asked(format=Format("json_schema", "person", SCHEMA)), traits)
    found = json.loads(written.body)
    assert written.answer_tool == "person"
    assert found["tool_choice"] == {"type": "tool", "name": "person", "disable_parallel_tool_use": True}
    assert found["tools"][0]["input_schema"] == json.loads(bytes(SCHEMA))


def test_a_schema_as_a_tool_beside_others():
    written = write(asked(format=Format("json_schema", schema=SCHEMA), tools=(TOOL,)), Traits(json_schema="tool"))
    found = json.loads(written.body)
    assert [tool["name"] for tool in found["tools"]] == ["f", written.answer_tool]
    assert found["tool_choice"] == {"type": "any"}


def test_a_schema_that_cannot_be_said_becomes_a_tool():
    free = msgspec.Raw(b'{"type":"object","additionalProperties":{"type":"string"}}')
    assert write(asked(format=Format("json_schema", schema=free)), PLAIN).answer_tool == "answer"


def test_json_in_words():
    found = body(asked(format=Format("json_object"), system=(Text("Be kind."),)))
    assert found["system"][0] == {"type": "text", "text": "Be kind."}
    assert "JSON" in found["system"][1]["text"]
    written = write(asked(format=Format("json_schema", schema=SCHEMA)), Traits(json_schema="none"))
    assert '"minimum":1' in json.loads(written.body)["system"][0]["text"]
    assert written.dropped == ("response_format",)


BUDGET, ADAPTIVE = Traits(16_000, thinking="budget"), Traits(16_000, thinking="adaptive")


@pytest.mark.parametrize(
    ("traits", "wanted", "thinking", "effort"),
    [
        (BUDGET, Thinking("low"), {"type": "enabled", "budget_tokens": 2048}, None),
        (BUDGET, Thinking("max"), {"type": "enabled", "budget_tokens": 8000}, None),
        (BUDGET, Thinking(), {"type": "enabled", "budget_tokens": 8000}, None),
        (BUDGET, Thinking(budget=12_000), {"type": "enabled", "budget_tokens": 12_000}, None),
        (BUDGET, Thinking(budget=99_000), {"type": "enabled", "budget_tokens": 15_999}, None),
        (BUDGET, Thinking("none"), {"type": "disabled"}, None),
        (ADAPTIVE, Thinking("high"), {"type": "adaptive"}, "high"),
        (ADAPTIVE, Thinking("minimal"), {"type": "adaptive"}, "low"),
        (ADAPTIVE, Thinking(budget=4000), {"type": "adaptive"}, "medium"),
        (ADAPTIVE, Thinking(), {"type": "adaptive"}, None),
        (ADAPTIVE, Thinking("none"), None, "low"),
        (Traits(thinking="effort"), Thinking("high"), None, "high"),
        (PLAIN, Thinking("none"), None, None),
    ],
)
def test_thinking(traits, wanted, thinking, effort):
    written = write(asked(thinking=wanted), traits)
    found = json.loads(written.body)
    assert found.get("thinking") == thinking
    assert found.get("output_config", {}).get("effort") == effort
    assert written.dropped == ()


@pytest.mark.parametrize(
    ("traits", "conversation"),
    [
        (PLAIN, asked()),
        (ADAPTIVE, asked(tools=(TOOL,), choice=Choice("any"))),
        (ADAPTIVE, asked(user("a"), model("b"))),
        (BUDGET, asked(max_output=1500)),
        (BUDGET, asked(user("a"), model("b", CALL), user(RESULT))),
    ],
)
def test_thinking_is_left_out_where_it_would_be_refused(traits, conversation):
    written = write(replace(conversation, thinking=Thinking("high")), traits)
    assert "thinking" not in json.loads(written.body)
    assert written.dropped == ("thinking",)


@pytest.mark.parametrize(
    ("traits", "messages"),
    [
        (BUDGET, (user("a"), model(THOUGHT, CALL), user(RESULT))),
        (BUDGET, (user("a"), model(CALL), user(RESULT), model("b"), user("c"))),
        (ADAPTIVE, (user("a"), model(CALL), user(RESULT))),
    ],
)
def test_thinking_goes_on_through_calls(traits, messages):
    assert "thinking" in body(asked(*messages, thinking=Thinking("high")), traits)


@pytest.mark.parametrize(
    ("traits", "fields", "kept", "dropped"),
    [
        (PLAIN, {"temperature": 0.3, "top_k": 5}, {"temperature": 0.3, "top_k": 5}, ()),
        (PLAIN, {"temperature": 1.7}, {"temperature": 1.0}, ("temperature>1",)),
        (PLAIN, {"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3}, ("top_p",)),
        (PLAIN, {"temperature": 0.3, "top_p": 1.0}, {"temperature": 0.3}, ()),
        (PLAIN, {"top_p": 0.5}, {"top_p": 0.5}, ()),
        (Traits(sampling=False), {"temperature": 0.3, "top_p": 0.5}, {}, ("temperature", "top_p")),
        (ADAPTIVE, {"temperature": 0.3, "top_k": 5, "thinking": Thinking()}, {}, ("temperature", "top_k")),
        (ADAPTIVE, {"temperature": 1.0, "top_p": 0.96, "thinking": Thinking()}, {"top_p": 0.96}, ()),
        (ADAPTIVE, {"top_p": 0.5, "thinking": Thinking()}, {}, ("top_p",)),
    ],
)
def test_sampling(traits, fields, kept, dropped):
    written = write(asked(**fields), traits)
    found = json.loads(written.body)
    assert {name: found[name] for name in ("temperature", "top_p", "top_k") if name in found} == kept
    assert written.dropped == dropped


def test_stops_of_white_space_are_left_out():
    written = write(asked(stop=("\n", "END")), PLAIN)
    assert json.loads(written.body)["stop_sequences"] == ["END"]
    assert written.dropped == ("stop",)


@pytest.mark.parametrize(("name", "told"), [("u-1", "u-1"), ("ann@example.com", None), ("+41 44 123 45 67", None)])
def test_people_are_told_as_digests(name, told):
    found = body(asked(user=name))["metadata"]["user_id"]
    assert found == (told or found)
    assert name == told or len(found) == 32


def test_fields_that_an_endpoint_refuses_are_left_out():
    written = write(asked(user="u", top_k=3), Traits(without=frozenset({"metadata", "top_k", "stream"})))
    assert {"metadata", "top_k"}.isdisjoint(json.loads(written.body))
    assert sorted(written.dropped) == ["metadata", "top_k"]


def test_breakpoints_are_four_at_most_and_the_long_ones_first():
    late = user(*(Text(f"{at}", "1h" if at == 3 else "5m") for at in range(5)))
    written = write(asked(late, system=(Text("s", "5m"),)), PLAIN)
    found = json.loads(written.body)
    assert found["system"] == [{"type": "text", "text": "s"}]
    marks = [block.get("cache_control") for block in found["messages"][0]["content"]]
    assert marks == [None, *[{"type": "ephemeral"}] * 4]
    assert written.dropped == ("cache_control",)
    early = asked(user(Text("a", "1h"), Text("b", "5m")))
    assert write(early, PLAIN).dropped == ()


loose = st.builds(Text, st.text(max_size=3), some.ttls)
anything = some.conversations(
    some.dialogues(
        loose | some.images,
        loose | st.builds(Refusal, some.words),
        called=st.builds(ToolCall, st.text(min_size=1, max_size=3), some.names, st.text(max_size=3)),
        thought=some.words.map(lambda text: Reasoning(text, signature("m", text))) | st.builds(Reasoning, some.words),
    ),
    system=loose,
)
MODEL = Model(
    "m",
    "anthropic",
    context=10**6,
    max_output=16_000,
    price=Price(Decimal(1)),
    thinking="adaptive",
    structured=True,
)


@some.often
@given(anything, st.sampled_from([PLAIN, BUDGET, ADAPTIVE, Traits(json_schema="tool", sampling=False)]), st.data())
def test_what_is_written_keeps_to_the_rules(conversation, traits, data):
    """Whatever comes: roles alternate from the user's on, nothing is empty, calls are answered in the next turn."""
    cut = data.draw(st.integers(1, len(conversation.messages)))
    effort = data.draw(st.sampled_from([None, Thinking("high"), Thinking(budget=2000)]))
    shape = data.draw(st.sampled_from([None, Format("json_object"), Format("json_schema", schema=SCHEMA)]))
    found = body(replace(conversation, messages=conversation.messages[:cut], thinking=effort, format=shape), traits)
    assert [turn["role"] for turn in found["messages"]] == ["user", "assistant"] * (len(found["messages"]) // 2) + [
        "user"
    ] * (len(found["messages"]) % 2)
    for turn in found["messages"]:
        content = turn["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        assert blocks
        assert all(block["text"].strip() for block in blocks if block["type"] == "text")
        kinds = [block["type"] == "tool_result" for block in blocks]
        assert kinds == sorted(kinds, reverse=True)
    assert not ("thinking" in found and found.get("tool_choice", {}).get("type") in ("any", "tool"))
    assert read(json.dumps(found).encode()).needs.isdisjoint({"unknown_parts", "files"})
    parse_messages(found, MODEL)  # the simulated provider refuses what the real one refuses


def test_ids_that_are_counted_anew_in_every_turn_are_told_apart():
    """Some OpenAI-compatible servers call every first call ``call_0``."""
    call, result = ToolCall("call_0", "f", "{}"), ToolResult("call_0", (Text("42"),))
    loop = (Message("user", (Text("Go."),)), *[Message("assistant", (call,)), Message("user", (result,))] * 3)
    found = body(Conversation("m", loop), PLAIN)
    called = [block["id"] for turn in found["messages"][1::2] for block in turn["content"]]
    answered = [block["tool_use_id"] for turn in found["messages"][2::2] for block in turn["content"]]
    assert called == answered == ["call_0", "call_0_2", "call_0_3"]
    parse_messages(found, MODEL)
