"""What OpenAI demands of a conversation."""

import pytest

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
ASK = {"role": "user", "content": "x"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
NESTED = CLOSED | {"properties": {"a": {"type": "array", "items": {"type": "object"}}}}


def call(key="call_1", arguments="{}"):
    return {"id": key, "type": "function", "function": {"name": "f", "arguments": arguments}}


def loop(*calls):
    spoken = {"role": "assistant", "content": None, "tool_calls": list(calls)}
    return [ASK, spoken, *({"role": "tool", "tool_call_id": each["id"], "content": "x"} for each in calls)]


def picture(url=PNG, role="user", **more):
    return [{"role": role, "content": [{"type": "image_url", "image_url": {"url": url} | more}]}]


def shape(schema, strict=True, name="n"):
    return {"type": "json_schema", "json_schema": {"name": name, "strict": strict, "schema": schema}}


def strict_tool(schema):
    return TOOL | {"function": {"name": "f", "strict": True, "parameters": schema}}


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": loop(call(), call("call_2"))},
        {"messages": picture(detail="low")},
        {"messages": picture("https://x/y.png")},
        {
            "messages": [
                {"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}]}
            ]
        },
        {"response_format": shape(CLOSED)},
        {"response_format": shape({"type": "object"}, strict=False)},
        {"tools": [strict_tool(CLOSED)], "parallel_tool_calls": False},
        {"temperature": 2, "stop": ["a", "b", "c", "d"], "n": 2},
    ],
)
async def test_what_is_right_is_taken(lab, fields):
    status, _, reply = await lab.chat(**fields)
    assert status == 200, reply


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"messages": loop(call("c" * 41))}, "string_above_max_length", "maximum length 40"),
        ({"messages": loop(call(arguments={}))}, "invalid_type", "arguments': expected a string"),
        ({"messages": loop(call())[:2]}, None, "did not have response messages: call_1"),
        ({"messages": [*loop(call()), loop(call())[-1]]}, None, "role 'tool'"),
        ({"messages": picture("data:image/bmp;base64,Qk0=")}, "invalid_image_format", "unsupported image"),
        ({"messages": picture("data:image/png;base64,???")}, "invalid_base64", "base64"),
        ({"messages": picture("y.png")}, "invalid_value", "valid URL"),
        ({"messages": picture(detail="sharp")}, "invalid_value", "sharp"),
        ({"messages": picture(role="system")}, "invalid_value", "only allowed for messages with role 'user'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]},
            "unknown_parameter",
            "messages[0].content[0].cache_control",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "x"}}]}]},
            "invalid_value",
            "PDF".lower(),
        ),
        ({"stop": list("abcde")}, "array_above_max_length", "length 5"),
        ({"temperature": 2.5}, "decimal_above_max_value", "'temperature'"),
        ({"top_p": -1}, "decimal_below_min_value", "'top_p'"),
        ({"temperature": "1"}, "invalid_type", "decimal"),
        ({"n": 129}, "integer_above_max_value", "'n'"),
        ({"parallel_tool_calls": True}, None, "only allowed when 'tools'"),
        ({"tools": [TOOL | {"input_schema": {}}]}, "unknown_parameter", "tools[0].input_schema"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "invalid_value", "pattern"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
            "invalid_function_parameters",
            "object",
        ),
        ({"tools": [strict_tool({"type": "object"})]}, "invalid_function_parameters", "additionalProperties"),
        ({"response_format": shape({"type": "object"})}, None, "additionalProperties"),
        ({"response_format": shape(CLOSED | {"required": []})}, None, "Missing 'a'"),
        ({"response_format": shape(NESTED)}, None, "('properties', 'a', 'items')"),
        ({"response_format": shape(CLOSED, name="a b")}, "invalid_value", "pattern"),
        ({"model": "gpt-5-mini", "max_tokens": 5}, "unsupported_parameter", "max_completion_tokens"),
        ({"model": "gpt-5-mini", "temperature": 0.5}, "unsupported_value", "temperature"),
        ({"model": "gpt-5-mini", "stop": ["a"]}, "unsupported_parameter", "'stop'"),
        ({"model": "gpt-5-mini", "top_p": 0.5}, "unsupported_parameter", "'top_p'"),
    ],
)
async def test_what_is_refused(lab, fields, code, word):
    status, _, reply = await lab.chat(**fields)
    assert status == 400
    assert word in reply["error"]["message"]
    assert reply["error"]["code"] == code


async def test_a_file_that_nobody_keeps(lab):
    status, _, reply = await lab.chat(
        messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]}]
    )
    assert status == 404
    assert "f1" in reply["error"]["message"]


async def test_several_calls_at_once_unless_that_is_off(lab):
    tools = [{"type": "function", "function": {"name": name}} for name in ("look_up", "book_room", "pay")]
    for parallel, names in ((None, ["look_up", "pay"]), (False, ["look_up"])):
        more = {} if parallel is None else {"parallel_tool_calls": parallel}
        _, _, reply = await lab.chat("Please look up the price and pay.", tools=tools, **more)
        assert [each["function"]["name"] for each in reply["choices"][0]["message"]["tool_calls"]] == names


OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}
CALLED = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


@pytest.mark.parametrize(
    ("items", "word"),
    [
        ([CALLED, OUTPUT], None),
        ([OUTPUT], "No tool call found for function call output with call_id c1"),
        ([CALLED], "No tool output found for function call c1"),
        ([CALLED | {"call_id": "c" * 65}], "maximum length 64"),
        ([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}], "could not be verified"),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "y.png"}]}], "valid URL"),
        ([{"role": "user", "content": [{"type": "input_file", "file_data": "x"}]}], "Invalid file data"),
    ],
)
async def test_items_of_responses(lab, items, word):
    body = {"model": "gpt-4o", "input": [{"role": "user", "content": "x"}, *items]}
    status, _, reply = await lab.post("/v1/responses", body)
    assert status == (200 if word is None else 400)
    assert word is None or word in reply["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "object"}}}},
            "invalid_json_schema",
        ),
        ({"tools": [{"type": "function", "name": "f", "parameters": {}}]}, "invalid_function_parameters"),
        ({"temperature": 3}, "decimal_above_max_value"),
    ],
)
async def test_fields_of_responses(lab, fields, code):
    status, _, reply = await lab.post("/v1/responses", {"model": "gpt-4o", "input": "x"} | fields)
    assert (status, reply["error"]["code"]) == (400, code)
