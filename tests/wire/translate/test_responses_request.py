import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import BadRequest
from farthing.wire.translate.conversation import (
    Choice,
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
)
from farthing.wire.translate.responses_request import read
from farthing.wire.translate.responses_sealed import sealed

PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def asked(**fields):
    return read(json.dumps({"model": "gpt-4o", "input": "hi"} | fields).encode())


def said(*items):
    return asked(input=list(items)).messages


def call(key, name="look", arguments="{}"):
    return {"type": "function_call", "call_id": key, "name": name, "arguments": arguments}


def result(key, output="ok"):
    return {"type": "function_call_output", "call_id": key, "output": output}


def user(text):
    return {"role": "user", "content": text}


def test_the_least_that_can_be_asked():
    found = asked()
    assert found.messages == (Message("user", (Text("hi"),)),)
    assert (found.model, found.system, found.tools, found.choice) == ("gpt-4o", (), (), None)
    assert (found.needs, found.dropped) == (frozenset(), ())
    assert not found.stream


def test_all_simple_fields():
    found = asked(
        instructions="Be brief.",
        max_output_tokens=100,
        temperature=1,
        top_p=0.5,
        parallel_tool_calls=False,
        reasoning={"effort": "high", "summary": "auto"},
        safety_identifier="u1",
        user="u2",
        stream=True,
        metadata={"a": "b"},
        store=False,
        include=["reasoning.encrypted_content"],
    )
    assert found.system == (Text("Be brief."),)
    assert (found.max_output, found.temperature, found.top_p, found.parallel) == (100, 1.0, 0.5, False)
    assert (found.thinking, found.user, found.stream) == (Thinking("high"), "u1", True)
    assert (found.needs, found.dropped) == ({"thinking"}, ())


def test_a_conversation_with_tools():
    turns = said(
        {"role": "developer", "content": [{"type": "input_text", "text": "Rules."}]},
        user("Look twice."),
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I will."}]},
        call("c1"),
        call("c2", arguments='{"a": 1}'),
        result("c1"),
        result("c2", [{"type": "input_text", "text": "two"}, {"type": "input_image", "image_url": "https://x/y.png"}]),
        user("And now?"),
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    )
    assert turns == (
        Message("user", (Text("Look twice."),)),
        Message("assistant", (Text("I will."), ToolCall("c1", "look", "{}"), ToolCall("c2", "look", '{"a": 1}'))),
        Message(
            "user",
            (
                ToolResult("c1", (Text("ok"),)),
                ToolResult("c2", (Text("two"), Image(url="https://x/y.png"))),
                Text("And now?"),
            ),
        ),
        Message("assistant", (Refusal("No."),)),
    )


def test_results_come_first_after_the_call_wherever_they_stand():
    after = said(user("a"), call("c1"), call("c2"), result("c1"), user("b"), result("c2"))[-1]
    assert after == Message("user", (ToolResult("c1", (Text("ok"),)), ToolResult("c2", (Text("ok"),)), Text("b")))
    between = said(user("a"), call("c1"), user("b"), result("c1"), user("c"))
    assert [message.role for message in between] == ["user", "assistant", "user", "user", "user"]
    assert between[2] == Message("user", (ToolResult("c1", (Text("ok"),)),))


def test_a_loop_has_a_turn_for_each_step():
    turns = said(user("a"), call("c1"), result("c1"), call("c2"), result("c2"))
    assert [message.role for message in turns] == ["user", "assistant", "user", "assistant", "user"]


def test_words_of_the_system_come_together():
    found = asked(instructions="One.", input=[{"role": "system", "content": "Two."}, user("hi")])
    assert found.system == (Text("One."), Text("Two."))
    assert found.dropped == ()
    late = asked(input=[user("hi"), {"role": "developer", "content": "Three."}])
    assert late.system == (Text("Three."),)
    assert late.dropped == ("input[1].role",)


@pytest.mark.parametrize(
    ("part", "expected", "needs"),
    [
        (
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"},
            Image("image/png", PNG, detail="low"),
            {"images"},
        ),
        ({"type": "input_image", "image_url": "https://x/a,b.png"}, Image(url="https://x/a,b.png"), {"images"}),
        ({"type": "input_image", "file_id": "f1"}, None, {"images", "files"}),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            Document("application/pdf", "JVBERi0=", name="a.pdf"),
            {"documents"},
        ),
        ({"type": "input_file", "file_data": "JVBERi0="}, Document(None, "JVBERi0="), {"documents"}),
        ({"type": "input_file", "file_url": "https://x/a.pdf"}, Document(url="https://x/a.pdf"), {"documents"}),
        ({"type": "input_file", "file_id": "f1"}, None, {"documents", "files"}),
        ({"type": "input_audio", "input_audio": {"data": ""}}, None, {"audio"}),
        ({"type": "hologram"}, None, {"unknown_parts"}),
        (
            {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
            Text("x", "1h"),
            set(),
        ),
    ],
)
def test_parts(part, expected, needs):
    found = asked(input=[{"role": "user", "content": [part]}])
    assert found.messages == (Message("user", () if expected is None else (expected,)),)
    assert found.needs == needs


def test_breakpoints_last_as_long_as_the_request_says():
    marked = [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}],
        }
    ]
    assert asked(input=marked).messages[0].parts == (Text("x", "5m"),)
    found = asked(input=marked, prompt_cache_options={"ttl": "12h"})
    assert found.messages[0].parts == (Text("x", "1h"),)
    assert found.dropped == ("prompt_cache_options",)


def test_tools_and_their_choice():
    function = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": True, "description": "Looks."}
    found = asked(tools=[function], tool_choice="required")
    assert [(tool.name, tool.description, tool.strict) for tool in found.tools] == [("look", "Looks.", True)]
    assert json.loads(bytes(found.tools[0].parameters)) == SCHEMA
    assert (found.choice, found.needs) == (Choice("any"), {"tools"})
    named = asked(tools=[function], tool_choice={"type": "function", "name": "look"})
    assert named.choice == Choice("tool", "look")
    other = {"type": "function", "name": "other", "parameters": None}
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "other"}]}
    few = asked(tools=[function, other], tool_choice=allowed)
    assert (few.tools, few.choice) == ((Tool("other"),), Choice("any"))


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"tools": [{"type": "web_search"}]}, {"server_tools"}),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, {"server_tools"}),
        ({"tools": [{"type": "custom", "name": "x"}]}, {"custom_tools"}),
        ({"tool_choice": {"type": "file_search"}}, {"server_tools"}),
        ({"tool_choice": {"type": "custom", "name": "x"}}, {"custom_tools"}),
        ({"previous_response_id": "resp_1"}, {"stored_state"}),
        ({"previous_response_id": "resp_1", "input": None}, {"stored_state"}),
        ({"conversation": "conv_1"}, {"stored_state"}),
        ({"conversation": {"id": "conv_1"}}, {"stored_state"}),
        ({"prompt": {"id": "p"}, "model": None}, {"stored_state"}),
        ({"background": True}, {"stored_state"}),
        ({"background": False}, set()),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, {"stored_state"}),
        ({"input": [{"id": "msg_1"}]}, {"stored_state"}),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, {"stored_state"}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs"}),
        ({"top_logprobs": 3}, {"logprobs"}),
        ({"top_logprobs": 0}, set()),
        ({"input": [{"type": "web_search_call", "id": "ws_1", "status": "completed"}]}, {"server_tools"}),
        ({"input": [{"type": "computer_call_output", "call_id": "c", "output": {"type": "x"}}]}, {"server_tools"}),
        ({"input": [{"type": "tool_search_call", "arguments": {"q": 1}}]}, {"server_tools"}),
        ({"input": [{"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"}]}, {"custom_tools"}),
        ({"input": [{"type": "dream"}]}, {"unknown_parts"}),
        ({"reasoning": {"effort": "none"}}, set()),
        ({"text": {"format": {"type": "json_object"}}}, set()),
    ],
)
def test_what_a_model_or_wire_must_have(fields, needs):
    assert asked(**fields).needs == needs


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"store": True}, ("store",)),
        ({"store": False}, ()),
        ({"store": None}, ()),
        ({"service_tier": "flex", "truncation": "auto"}, ("service_tier", "truncation")),
        ({"service_tier": "auto", "truncation": "disabled"}, ()),
        ({"text": {"verbosity": "low"}}, ("text.verbosity",)),
        ({"reasoning": {"mode": "pro"}}, ("reasoning.mode",)),
        (
            {"prompt_cache_key": "k", "stream_options": {"include_obfuscation": False}},
            ("prompt_cache_key", "stream_options"),
        ),
        ({"invented_tomorrow": 1}, ("invented_tomorrow",)),
    ],
)
def test_what_is_dropped_is_listed(fields, dropped):
    assert asked(**fields).dropped == dropped


def test_the_answer_s_shape():
    found = asked(text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}})
    assert (found.format.kind, found.format.name, found.format.strict) == ("json_schema", "n", True)
    assert json.loads(bytes(found.format.schema)) == SCHEMA
    assert found.needs == {"json_schema"}
    assert asked(text={"format": {"type": "json_object"}}).format == Format("json_object")
    assert asked(text={"format": {"type": "text"}}).format is None


def test_thoughts():
    thought = Reasoning("Hm.", "c2ln")
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed(thought)}
    found = asked(input=[user("hi"), own, call("c1"), result("c1")])
    assert found.messages[1].parts == (thought, ToolCall("c1", "look", "{}"))
    assert found.needs == {"tools", "signed_thinking"}
    other = asked(input=[user("hi"), own | {"encrypted_content": "gAAAA"}])
    assert (len(other.messages), other.needs) == (1, {"signed_thinking"})
    bare = asked(input=[user("hi"), own | {"encrypted_content": None}])
    assert (len(bare.messages), bare.needs) == (1, set())


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"model": None}, "'model'"),
        ({"model": 3}, "'model'"),
        ({"input": None}, "'input'"),
        ({"input": 3}, "'input'"),
        ({"input": [{"role": "robot", "content": "x"}]}, r"input\[0\]\.role"),
        ({"input": [user("x"), {"content": "x"}]}, r"input\[1\]\.role"),
        ({"input": [{"role": "user"}]}, r"input\[0\]\.content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, r"input\[0\]\.content\[0\]\.text"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, r"content\[0\]\.image_url"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, r"content\[0\]\.file_data"),
        ({"input": [{"type": "function_call", "name": "x", "arguments": ""}]}, r"input\[0\]\.call_id"),
        ({"input": [{"type": "function_call", "call_id": "x", "arguments": ""}]}, r"input\[0\]\.name"),
        ({"input": [call("c", arguments={})]}, r"input\[0\]\.arguments"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, r"input\[0\]\.output"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, r"input\[0\]\.call_id"),
        ({"input": [{"type": "reasoning", "encrypted_content": "farthing.1.!"}]}, r"input\[0\]\.encrypted_content"),
        ({"tools": [{"type": "function"}]}, r"tools\[0\]\.name"),
        ({"tool_choice": "maybe"}, "'tool_choice'"),
        ({"tool_choice": {"type": "function"}}, r"'tool_choice\.name'"),
        ({"tool_choice": {"type": "allowed_tools", "mode": []}}, "'tool_choice'"),
        ({"text": {"format": {"type": "yaml"}}}, r"text\.format\.type"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, r"text\.format\.schema"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, r"text\.format\.name"),
        ({"reasoning": {"effort": "heroic"}}, r"reasoning\.effort"),
        ({"temperature": "hot"}, "'temperature'"),
    ],
)
def test_what_is_wrong_is_named(fields, named):
    with pytest.raises(BadRequest, match=named):
        asked(**fields)


def test_no_json():
    with pytest.raises(BadRequest, match="not valid JSON"):
        read(b"{")


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=5,
)
kinds = st.sampled_from(["message", "function_call", "function_call_output", "reasoning", "web_search_call", "dream"])
items = st.dictionaries(
    st.sampled_from(["role", "content", "id", "call_id", "name", "arguments", "output", "encrypted_content"]), junk
).flatmap(lambda item: kinds.map(lambda kind: item | {"type": kind}))


@given(
    st.lists(items, max_size=4), st.dictionaries(st.sampled_from(["tools", "text", "tool_choice", "reasoning"]), junk)
)
def test_whatever_comes_is_read_or_refused(given_items, fields):
    body = msgspec.json.encode({"model": "m", "input": given_items} | fields)
    refused = False
    try:
        found = read(body)
    except BadRequest:
        refused = True
    assert refused or found.model == "m"
