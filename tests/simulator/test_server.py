"""Shapes of errors, limits of bodies, invoice, control, the command."""

import asyncio
import json
import signal
import socket
import sys

import pytest

from farthing.simulator import Ask, Control, Faults, Simulator, standard_answer
from farthing.types import Turn


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "parse the JSON body"),
        (b"[]", "parse the JSON body"),
        (b'{"messages": []}', "model"),
        ({"model": 3, "messages": []}, "model: expected a string"),
        ({"model": "gpt-4o"}, "messages: expected an array"),
        ({"model": "gpt-4o", "messages": []}, "empty array"),
        ({"model": "gpt-4o", "messages": ["x"]}, "messages[0]: expected an object"),
        ({"model": "gpt-4o", "messages": [{"role": "king", "content": "x"}]}, "Invalid value: 'king'"),
        ({"model": "gpt-4o", "messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]}, "role 'tool'"),
        ({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "n": "two"}, "n: expected an integer"),
        ({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "max_tokens": 10**6}, "too large"),
        (
            {
                "model": "gpt-4o",
                "messages": [{"role": "user", "content": "x"}],
                "response_format": {"type": "json_object"},
            },
            "must contain the word 'json'",
        ),
        ({"model": "gpt-4o", "messages": [{"role": "user", "content": "word " * 128_000}]}, "maximum context length"),
    ],
)
async def test_bad_chat_requests_are_told_what_is_wrong(lab, body, word):
    status, _, reply = await lab.post("/v1/chat/completions", body)
    assert status == 400
    assert word in reply["error"]["message"]
    assert reply["error"]["type"] == "invalid_request_error"
    assert lab.sim.invoice.lines == []


def claude(**changes):
    body = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]} | changes
    return {key: value for key, value in body.items() if value is not None}


RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (claude(max_tokens=None), "max_tokens: Field required"),
        (claude(messages=[]), "at least one message"),
        (claude(messages=[{"role": "assistant", "content": "x"}]), "first message"),
        (claude(messages=[{"role": "user", "content": ""}]), "must be non-empty"),
        (claude(messages=[{"role": "user", "content": [RESULT]}]), "unexpected `tool_use_id`"),
        (
            claude(
                messages=[
                    {"role": "user", "content": "x"},
                    {"role": "assistant", "content": [CALL]},
                    {"role": "user", "content": "y"},
                ]
            ),
            "without `tool_result` blocks",
        ),
        (claude(colour=1), "colour: Extra inputs are not permitted"),
        (claude(tool_choice={"type": "tool", "name": "g"}), "Tool 'g' not found"),
        (claude(messages=[{"role": "user", "content": "word " * 201_000}]), "prompt is too long"),
    ],
)
async def test_bad_claude_requests_are_told_what_is_wrong(lab, body, word):
    status, _, reply = await lab.post("/v1/messages", body)
    assert status == 400
    assert word in reply["error"]["message"]
    assert reply["type"] == "error"


async def test_a_body_over_the_limit_is_413_in_both_shapes():
    async with Simulator(max_body=1000) as sim:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(sim.url.rpartition(":")[2]))
        for path, word in (("/v1/messages", "request_too_large"), ("/v1/chat/completions", "request_too_large")):
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nx-api-key: k\r\nauthorization: Bearer k\r\n"
            writer.write(f"{head}Content-Length: 2000\r\n\r\n".encode() + b" " * 2000)
            status = await reader.readline()
            assert b" 413 " in status
            headers = await reader.readuntil(b"\r\n\r\n")
            length = int(headers.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert word in (await reader.readexactly(length)).decode()
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(sim.url.rpartition(":")[2]))
        writer.close()


async def test_unknown_paths_and_missing_keys(lab):
    async with lab.session.get(f"{lab.sim.url}/v1/nothing") as reply:
        assert reply.status == 404
        assert "Invalid URL" in (await reply.json())["error"]["message"]
    async with lab.session.post(f"{lab.sim.url}/v1/chat/completions", json={}) as reply:
        assert reply.status == 401
    async with lab.session.post(f"{lab.sim.url}/v1/messages", json={}) as reply:
        assert (await reply.json())["error"]["type"] == "authentication_error"


async def test_the_invoice_adds_up_and_names_the_requests(lab):
    _, headers, _ = await lab.chat(ts=1000.5)
    _, claude_headers, _ = await lab.message()
    await lab.chat("again", model="gpt-4o-mini", service_tier="flex")
    short = await lab.invoice()
    bill = await lab.invoice("?lines=1")
    assert "lines" not in short
    assert bill["total_nano_usd"] == sum(line["nano_usd"] for line in bill["lines"])
    assert bill["total_nano_usd"] == sum(row["nano_usd"] for row in bill["by_model"].values())
    assert bill["requests"] == 3
    first, second, third = bill["lines"]
    assert first["request_id"] == headers["x-request-id"]
    assert first["ts"] == 1000.5
    assert second["request_id"] == claude_headers["request-id"]
    assert third["tier"] == "flex"
    row = bill["by_model"]["gpt-4o-mini-2024-07-18"]
    assert third["nano_usd"] == row["nano_usd"] == (150 * row["input"] + 600 * row["output"]) // 2


async def test_n_choices_are_billed_together(lab):
    _, _, reply = await lab.chat(n=3)
    texts = {choice["message"]["content"] for choice in reply["choices"]}
    assert len(texts) == 3
    assert reply["usage"]["completion_tokens"] == lab.sim.invoice.lines[0].tokens.output


async def test_limits_and_stop_sequences_cut_the_answer(lab):
    _, _, whole = await lab.chat()
    text = whole["choices"][0]["message"]["content"]
    _, _, cut = await lab.chat(max_tokens=5)
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens"] == 5
    assert text.startswith(cut["choices"][0]["message"]["content"])
    _, _, stopped = await lab.chat(stop=[text[10:20]])
    assert stopped["choices"][0]["message"]["content"] == text[:10]
    _, _, claude_reply = await lab.message(stop_sequences=["."])
    assert claude_reply["stop_reason"] == "stop_sequence"
    assert claude_reply["stop_sequence"] == "."


def test_the_answer_follows_from_model_and_last_message():
    def text(model, question, system=""):
        return standard_answer(Ask(model, system, (Turn("user", question),))).text

    assert text("gpt-4o", "a card") == text("gpt-4o", "a card", system="Be short.")
    assert len({text("gpt-4o", "a card"), text("gpt-4o-mini", "a card"), text("gpt-4o", "a loan")}) == 3


async def test_reset_brings_the_start_back(lab):
    lab.sim.control(Control(faults={"*": Faults(p_error=1)}))
    assert (await lab.chat())[0] == 500
    async with lab.session.post(f"{lab.sim.url}/_reset") as reply:
        assert reply.status == 200
    assert (await lab.chat())[0] == 200
    assert len(lab.sim.received) == 1


async def test_what_was_received_is_kept_as_it_came(lab):
    body = b'{"model" : "gpt-4o",  "messages":[{"role":"user","content":"\\u00e9"}]}'
    await lab.post("/v1/chat/completions", body, x_custom="1")
    seen = lab.sim.received[-1]
    assert seen.body == body
    assert seen.headers["x-custom"] == "1"
    assert seen.path == "/v1/chat/completions"


async def test_a_wrong_time_is_refused(lab):
    status, _, reply = await lab.chat(ts="yesterday")
    assert status == 400
    assert "x-sim-ts" in reply["error"]["message"]


def test_a_simulator_that_is_not_running_says_so():
    with pytest.raises(RuntimeError, match="async with"):
        _ = Simulator().url


async def start_command(*args):
    command = [sys.executable, "-m", "farthing.simulator", *args]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)


async def test_the_command_serves_and_stops(tmp_path):
    faults = tmp_path / "faults.json"
    faults.write_text('{"gpt-4o": {"p_error": 1.0}}')
    process = await start_command("--port", "0", "--seed", "3", "--faults", str(faults))
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    port = int(line.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}"
    writer.write(f"{head}\r\n\r\n".encode() + body)
    assert b" 500 " in await reader.readline()
    writer.close()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_command_names_a_port_in_use_and_a_broken_fault_file(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await start_command("--port", str(taken.getsockname()[1]))
        _, error = await process.communicate()
        assert process.returncode == 1
        assert b"is in use" in error
        assert b"Traceback" not in error
    broken = tmp_path / "faults.json"
    broken.write_text('{"*": {"p_eror": 1}}')
    process = await start_command("--faults", str(broken))
    _, error = await process.communicate()
    assert process.returncode == 1
    assert b"p_eror" in error
