"""Chat requests, read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import BadRequest
from farthing.wire.translate.chat_request import read
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

from . import strategies as some

HI = {"role": "user", "content": "hi"}
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}, "strict": True}}
FIND = {"type": "function", "function": {"name": "find", "description": "Finds."}}


def body(*messages, **fields) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": [*(messages or (HI,))]} | fields).encode()


def turns(*messages) -> tuple[Message, ...]:
    return read(body(*messages)).messages


def call(call_id="call_1", name="look", arguments='{"at": 1}'):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls, **fields):
    return {"role": "assistant", "content": None, "tool_calls": list(calls)} | fields


def result(call_id="call_1", content="seen", **fields):
    return {"role": "tool", "tool_call_id": call_id, "content": content} | fields


def parts(*content):
    return turns({"role": "user", "content": list(content)})[0].parts


def test_the_usual_fields():
    asked = read(
        body(
            {"role": "system", "content": "Be brief."},
            HI,
            max_tokens=9,
            temperature=1,
            top_p=0.5,
            stop="END",
            user="mara",
            stream=True,
            stream_options={"include_usage": True},
            parallel_tool_calls=False,
        )
    )
    assert asked.model == "gpt-4o"
    assert asked.system == (Text("Be brief."),)
    assert asked.messages == (Message("user", (Text("hi"),)),)
    assert (asked.max_output, asked.temperature, asked.top_p, asked.stop, asked.user) == (9, 1.0, 0.5, ("END",), "mara")
    assert (asked.stream, asked.include_usage, asked.parallel) == (True, True, False)
    assert (asked.needs, asked.dropped) == (frozenset(), ())


def test_nothing_said_is_none_and_null_is_nothing():
    names = (
        "tools tool_choice functions function_call parallel_tool_calls response_format max_tokens max_completion_tokens "
        "temperature top_p stop reasoning_effort stream stream_options user safety_identifier logprobs top_logprobs "
        "logit_bias n modalities audio web_search_options seed store metadata prediction service_tier anything"
    )
    asked = read(body(**dict.fromkeys(names.split())))
    assert asked == read(body())
    assert (asked.max_output, asked.temperature, asked.choice, asked.format, asked.thinking) == (None,) * 5
    assert (asked.needs, asked.dropped, asked.stream) == (frozenset(), (), False)


def test_the_newer_field_counts():
    assert read(body(max_tokens=5, max_completion_tokens=7)).max_output == 7
    assert read(body(user="a", safety_identifier="b")).user == "b"
    assert read(body(stop=["a", "b"])).stop == ("a", "b")


def test_the_system_s_words_are_hoisted_wherever_they_stand():
    asked = read(
        body(
            {"role": "developer", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
            calling(call("c1"), call("c2")),
            result("c1"),
            {"role": "system", "content": "C"},
            result("c2"),
        )
    )
    assert asked.system == (Text("A"), Text("B"), Text("C"))
    assert asked.dropped == ("messages[3].role",)
    assert [message.role for message in asked.messages] == ["assistant", "user"], "both results are one turn"


def test_pictures():
    small = {"url": "data:image/png;base64,iVBOR", "detail": "low"}
    said = parts(
        {"type": "text", "text": "what?"},
        {"type": "image_url", "image_url": small},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": "data:image/svg+xml,%3Csvg"},
    )
    assert said == (
        Text("what?"),
        Image("image/png", "iVBOR", detail="low"),
        Image(url="https://example.com/a.png"),
        Image(url="data:image/svg+xml,%3Csvg"),
    )
    asked = read(body({"role": "user", "content": [{"type": "image_url", "image_url": small}]}))
    assert asked.needs == {"images"}


def test_files():
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBER", "filename": "a.pdf"}}
    far = {"type": "file", "file": {"file_data": "https://example.com/a.pdf"}}
    asked = read(body({"role": "user", "content": [pdf, far]}))
    assert asked.messages[0].parts == (
        Document("application/pdf", "JVBER", name="a.pdf"),
        Document(url="https://example.com/a.pdf"),
    )
    assert asked.needs == {"documents"}


@pytest.mark.parametrize(
    ("part", "need"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, {"files"}),
        ({"type": "file", "file": {"file_data": "data:text/plain,hi"}}, {"documents", "unknown_parts"}),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, {"audio"}),
        ({"type": "video_url", "video_url": {"url": "x"}}, {"unknown_parts"}),
        ({"type": "image_url"}, {"unknown_parts"}),
    ],
)
def test_parts_that_cannot_be_said_are_needs(part, need):
    asked = read(body({"role": "user", "content": [part, {"type": "text", "text": "x"}]}))
    assert asked.needs == need
    assert asked.messages[0].parts == (Text("x"),)


def test_a_tool_loop():
    asked = read(
        body(
            HI,
            calling(call("c1"), call("c2", "find", ""), content="Let me see."),
            result("c1", "seen"),
            result("c2", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            {"role": "user", "content": "and?", "name": "mara"},
            tools=[LOOK, FIND],
        )
    )
    assert asked.messages[1:] == (
        Message("assistant", (Text("Let me see."), ToolCall("c1", "look", '{"at": 1}'), ToolCall("c2", "find", ""))),
        Message(
            "user",
            (ToolResult("c1", (Text("seen"),)), ToolResult("c2", (Text("a"), Text("b"))), Text("and?")),
            "mara",
        ),
    )
    assert [(tool.name, tool.description, tool.strict) for tool in asked.tools] == [
        ("look", None, True),
        ("find", "Finds.", None),
    ]
    assert json.loads(bytes(asked.tools[0].parameters)) == {"type": "object"}
    assert asked.tools[1].parameters is None
    assert asked.needs == {"tools"}


def test_results_at_the_end_are_a_turn():
    assert turns(HI, calling(call()), result())[-1] == Message("user", (ToolResult("call_1", (Text("seen"),)),))


def test_the_model_s_turn_ends_that_of_the_results():
    said = turns(HI, calling(call()), result(), {"role": "assistant", "content": "Seen."})
    assert said[2:] == (
        Message("user", (ToolResult("call_1", (Text("seen"),)),)),
        Message("assistant", (Text("Seen."),)),
    )


def test_calls_without_ids_get_one_each():
    said = turns(HI, calling({"function": {"name": "a"}}, {"function": {"name": "b"}}))[1].parts
    assert said == (ToolCall("call_1_0", "a", ""), ToolCall("call_1_1", "b", ""))


def test_older_functions():
    older = {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": "{}"}}
    function = {"name": "look", "parameters": {"type": "object"}}
    asked = read(
        body(
            HI,
            older,
            {"role": "function", "name": "look", "content": "seen"},
            functions=[function],
            function_call="auto",
        )
    )
    assert asked.functions
    assert asked.parallel is False
    assert asked.choice == Choice("auto")
    assert [tool.name for tool in asked.tools] == ["look"]
    assert asked.messages[1:] == (
        Message("assistant", (ToolCall("call_1", "look", "{}"),)),
        Message("user", (ToolResult("call_1", (Text("seen"),)),)),
    )
    assert read(body(functions=[function], function_call={"name": "look"})).choice == Choice("tool", "look")
    assert not read(body(tools=[LOOK])).functions


def test_thoughts():
    signed = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    asked = read(
        body(HI, {"role": "assistant", "content": "5", "reasoning_content": "hm", "thinking_blocks": [signed, hidden]})
    )
    assert asked.messages[1].parts == (Reasoning("hm", "sig"), Reasoning("", redacted="xyz"), Text("5"))
    assert asked.needs == {"signed_thinking"}
    plain = read(body(HI, {"role": "assistant", "content": "5", "reasoning_content": "hm"}))
    assert plain.messages[1].parts == (Reasoning("hm"), Text("5"))
    assert plain.needs == frozenset()
    assert turns({"role": "assistant", "content": "5", "reasoning": "hm"})[0].parts == (Reasoning("hm"), Text("5"))


def test_refusals():
    said = turns(
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "refusal": "No!"},
    )
    assert [message.parts for message in said] == [(Refusal("No."),), (Refusal("No!"),)]


def test_cache_marks_survive():
    mark, hour = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    asked = read(
        body(
            {"role": "system", "content": [{"type": "text", "text": "A", "cache_control": hour}]},
            {"role": "user", "content": "B", "cache_control": mark},
            calling(call()),
            result(cache_control=mark),
            {
                "role": "user",
                "content": [{"type": "text", "text": "C", "prompt_cache_breakpoint": {"mode": "explicit"}}],
            },
            tools=[LOOK | {"cache_control": mark}],
        )
    )
    assert asked.system == (Text("A", "1h"),)
    assert asked.messages[0].parts == (Text("B", "5m"),)
    assert asked.messages[2].parts == (ToolResult("call_1", (Text("seen"),), cache="5m"), Text("C", "5m"))
    assert asked.tools[0].cache == "5m"


@pytest.mark.parametrize(
    ("choice", "read_as", "left"),
    [
        ("auto", Choice("auto"), ["look", "find"]),
        ("none", Choice("none"), ["look", "find"]),
        ("required", Choice("any"), ["look", "find"]),
        ({"type": "function", "function": {"name": "find"}}, Choice("tool", "find"), ["look", "find"]),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "find"}}]},
            },
            Choice("any"),
            ["find"],
        ),
    ],
)
def test_tool_choice(choice, read_as, left):
    asked = read(body(tools=[LOOK, FIND], tool_choice=choice))
    assert asked.choice == read_as
    assert [tool.name for tool in asked.tools] == left


def test_the_answer_s_shape():
    schema = {"name": "person", "schema": {"type": "object"}, "strict": True, "description": "Who."}
    asked = read(body(response_format={"type": "json_schema", "json_schema": schema}))
    shape = asked.format
    assert (shape.kind, shape.name, shape.strict, shape.description) == ("json_schema", "person", True, "Who.")
    assert json.loads(bytes(shape.schema)) == {"type": "object"}
    assert asked.needs == {"json_schema"}
    assert read(body(response_format={"type": "json_object"})).format == Format("json_object")
    assert read(body(response_format={"type": "text"})).format is None


@pytest.mark.parametrize(
    ("fields", "thinking", "needs"),
    [
        ({"reasoning_effort": "high"}, Thinking("high"), {"thinking"}),
        ({"reasoning_effort": "none"}, Thinking("none"), set()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Thinking(budget=2000), {"thinking"}),
        ({"thinking": {"type": "disabled"}}, Thinking("none"), set()),
        ({"thinking": {"type": "adaptive"}}, Thinking(), {"thinking"}),
    ],
)
def test_thinking(fields, thinking, needs):
    asked = read(body(**fields))
    assert asked.thinking == thinking
    assert asked.needs == needs


@pytest.mark.parametrize(
    ("fields", "need"),
    [
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"n": 2}, "several_choices"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "ash"}}, "modalities"),
        ({"web_search_options": {}}, "server_tools"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "custom_tools"),
        ({"tools": [{"type": "web_search"}]}, "server_tools"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "x"}}}, "custom_tools"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "many_stops"),
        (
            {"messages": [HI, {"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {}}]}]},
            "custom_tools",
        ),
        ({"messages": [HI, {"role": "assistant", "audio": {"id": "1"}}]}, "audio"),
    ],
)
def test_what_matters_and_cannot_cross_is_a_need(fields, need):
    assert need in read(body(**fields)).needs


def test_what_says_nothing_is_no_need():
    asked = read(body(logprobs=False, top_logprobs=0, logit_bias={}, n=1, modalities=["text"]))
    assert (asked.needs, asked.dropped) == (frozenset(), ())


def test_what_does_not_matter_is_listed():
    cosmetic = {
        "seed": 0,
        "presence_penalty": 0.5,
        "frequency_penalty": -1,
        "store": True,
        "metadata": {"a": "b"},
        "prediction": {"type": "content", "content": "x"},
        "service_tier": "auto",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "verbosity": "low",
        "brand_new": 1,
    }
    assert read(body(**cosmetic)).dropped == tuple(cosmetic)
    assert read(body(presence_penalty=0, frequency_penalty=0.0, store=False, metadata={})).dropped == ()
    assert read(body(presence_penalty="x")).dropped == ("presence_penalty",)


@pytest.mark.parametrize(
    ("given_body", "named"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "JSON object"),
        (body(model=None), "'model'"),
        (b'{"model": "m"}', "'messages'"),
        (body(messages={}), "'messages'"),
        (body({"content": "x"}), "'role'"),
        (body(HI, {"role": "king", "content": "x"}), "'messages\\[1\\].role'"),
        (body({"role": "user", "content": 5}), "content'"),
        (body({"role": "user", "content": [{"text": "x"}]}), "'type'"),
        (body({"role": "tool", "content": "x"}), "'messages\\[0\\].tool_call_id'"),
        (body(temperature="hot"), "'temperature'"),
        (body(tools={}), "'tools'"),
        (body(tool_choice="perhaps"), "'tool_choice'"),
        (body(reasoning_effort="enormous"), "reasoning_effort"),
        (body(response_format={"type": "xml"}), "'response_format.type'"),
        (body(response_format={"type": "json_schema"}), "'response_format.json_schema.schema'"),
        (
            body(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
            "'response_format.json_schema.name'",
        ),
    ],
)
def test_an_error_names_the_field(given_body, named):
    with pytest.raises(BadRequest, match=named):
        read(given_body)


def test_half_a_surrogate_is_read():
    assert read(b'{"model":"m","messages":[{"role":"user","content":"\\ud83d"}]}').messages[0].parts == (Text("�"),)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@some.often
@given(st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "name", "tool_call_id"]), JUNK), JUNK, JUNK)
def test_junk_is_read_or_refused_and_never_breaks(message, tools, choice):
    try:
        asked = read(body(message, tools=tools, tool_choice=choice))
    except BadRequest:
        return
    assert asked.model == "gpt-4o"


def test_a_tool_is_kept_as_it_came():
    spaced = b'{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{ "b":1,"a":2 }}}]}'
    tool = read(spaced).tools[0]
    assert tool == Tool("f", None, tool.parameters)
    assert bytes(tool.parameters) == b'{ "b":1,"a":2 }'
