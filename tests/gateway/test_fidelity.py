"""Law 3: what is not changed is not touched, in both directions, and nothing waits."""

import asyncio
import json

import pytest
from yarl import URL

ODD = b'{ "model" : "gpt-4o",\n\t"messages":[ {"role":"user","content":"\\u00e9 \xc3\xa9"}], "seed": 1.50 , "new":{"a":[]},"seed":2}'
PLAIN = b'{"id":"x", "choices":[],"model":"gpt-4o","n":1.0}\n'


def response(body, *headers, status=b"200 OK", kind=b"application/json"):
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def names_and_values(head):
    """The headers of a request, less those that belong to one connection."""
    pairs = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line]
    return [(name.lower(), value) for name, value in pairs if name.lower() not in (b"host", b"content-length")]


def sse(**fields):
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def word(text, **fields):
    return sse(id="c", model="gpt-4o", choices=[{"index": 0, "delta": {"content": text}, **fields}], usage=None)


LAST = sse(id="c", model="gpt-4o", choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=None)
USAGE = sse(id="c", model="gpt-4o", choices=[], usage={"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10})
DONE = b"data: [DONE]\n\n"
ASK = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("mode", ["observe", "save"])
async def test_body_is_byte_identical_without_levers(start, saying, mode):
    provider, url = await saying(response(PLAIN))
    house = await start(url, mode=mode)
    reply = await house.ask("POST", "/v1/chat/completions", ODD)
    assert reply.body == PLAIN
    assert provider.requests[0][1] == ODD


async def test_request_headers_go_through_in_order_with_repeats_but_not_ours(start, saying):
    provider, url = await saying(response(PLAIN))
    house = await start(url)
    headers = [
        ("authorization", "Bearer sk-sim"), ("x-a", "1"), ("openai-beta", "x"), ("x-a", "2"), ("user-agent", "u/1"),
        ("x-farthing-user", "ada"), ("X-Farthing-Tags", "a=b"), ("te", "trailers"), ("cookie", "c=1"),
    ]  # fmt: skip
    async with house.session.post(house.url + "/v1/chat/completions", data=ODD, headers=headers) as reply:
        assert reply.status == 200
    assert names_and_values(provider.requests[0][0]) == [
        (b"authorization", b"Bearer sk-sim"), (b"x-a", b"1"), (b"openai-beta", b"x"), (b"x-a", b"2"),
        (b"user-agent", b"u/1"), (b"cookie", b"c=1"), (b"accept-encoding", b"identity"),
    ]  # fmt: skip
    assert house.row.caller.user == "ada"


async def test_response_headers_come_back_in_order_with_repeats(start, saying):
    _, url = await saying(response(PLAIN, b"Set-Cookie: a=1", b"X-Request-Id: r1", b"Set-Cookie: b=2"))
    house = await start(url)
    reply = await house.ask("POST", "/v1/chat/completions", ODD)
    theirs = [(name, value) for name, value in reply.headers if not name.startswith("x-farthing-")]
    assert theirs == [
        ("content-type", "application/json"), ("set-cookie", "a=1"), ("x-request-id", "r1"), ("set-cookie", "b=2"),
        ("content-length", str(len(PLAIN))),
    ]  # fmt: skip
    assert house.row.calls[0].provider_request_id == "r1"


async def test_farthing_s_own_headers_say_what_the_contract_says(house, sim):
    reply = await house.say()
    ours = {name: value for name, value in reply.headers if name.startswith("x-farthing-")}
    cost = f"{sim.invoice.total_nano_usd / 1e9:.9f}".rstrip("0")
    assert float(ours.pop("x-farthing-overhead-ms")) >= 0
    assert ours == {
        "x-farthing-request-id": house.row.id,
        "x-farthing-model": "gpt-4o-2024-08-06",
        "x-farthing-provider": "openai",
        "x-farthing-cache": "miss",
        "x-farthing-cost-usd": cost,
        "x-farthing-baseline-usd": cost,
        "x-farthing-saved-usd": "0",
    }


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
async def test_the_last_line_of_a_stream_is_a_comment_with_its_cost(house, sim, path):
    reply = await house.say(path=path, stream=True)
    *_, last, end = reply.body.decode().split("\n\n")
    assert end == ""
    assert last.startswith(": farthing ")
    said = json.loads(last.removeprefix(": farthing "))
    assert said["request_id"] == house.row.id == reply.get("x-farthing-request-id")
    assert round(float(said["cost_usd"]) * 1e9) == house.row.cost_nano == sim.invoice.total_nano_usd
    assert (said["cache"], said["saved_usd"]) == ("miss", "0")
    assert not [name for name, _ in reply.headers if name.endswith("-usd")]  # not known when the headers went out


@pytest.mark.parametrize("mode", ["observe", "save"])
async def test_include_usage_injected_and_hidden(start, saying, mode):
    sent = [word("a"), word("b"), LAST, USAGE, DONE]
    provider, url = await saying(STREAM, *map(chunk, sent), END)
    house = await start(url, mode=mode)
    reply = await house.ask("POST", "/v1/chat/completions", ASK)
    body = provider.requests[0][1]
    assert json.loads(body) == {**ASK, "stream_options": {"include_usage": True}}
    assert body.startswith(json.dumps(ASK).encode()[:-1])  # spliced in, not rewritten
    theirs, _, ours = reply.body.partition(b": farthing ")
    assert theirs == b"".join([word("a"), word("b"), LAST, DONE])
    assert ours.endswith(b"\n\n")
    assert (house.row.calls[0].usage.input, house.row.calls[0].usage.output) == (8, 2)


async def test_a_client_that_asked_for_usage_gets_every_byte(start, saying):
    sent = [word("a"), LAST, USAGE, DONE]
    provider, url = await saying(STREAM, *map(chunk, sent), END)
    house = await start(url)
    asked = json.dumps({**ASK, "stream_options": {"include_usage": True}}).encode()
    reply = await house.ask("POST", "/v1/chat/completions", asked)
    assert provider.requests[0][1] == asked
    assert reply.body.partition(b": farthing ")[0] == b"".join(sent)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/new"])
async def test_streams_are_not_buffered(start, script, path):
    seen = asyncio.Event()
    first, second = b'event: a\ndata: {"type":"a"}\n\n', b'data: {"type":"b"}\n\n'

    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + chunk(first))
        await seen.wait()  # would wait for ever if the client had to wait for the second
        writer.write(chunk(second) + END)

    _, url = await script(answer)
    house = await start(url)
    body = {"model": "m", "stream": True, "messages": [], "input": "x"}
    async with house.request("POST", path, body) as reply:
        assert await reply.content.readany() == first
        seen.set()
        assert (await reply.content.read()).startswith(second)


async def test_half_an_event_does_not_wait_where_nothing_has_to_be_hidden(start, script):
    seen = asyncio.Event()

    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(STREAM + chunk(b'event: content_block_delta\ndata: {"type"'))
        await seen.wait()
        writer.write(chunk(b':"ping"}\n\n') + END)

    _, url = await script(answer)
    house = await start(url)
    async with house.request("POST", "/v1/messages", {"model": "m", "stream": True, "messages": []}) as reply:
        assert await reply.content.readany() == b'event: content_block_delta\ndata: {"type"'
        seen.set()
        assert (await reply.content.read()).startswith(b':"ping"}\n\n')


async def test_an_upload_streams_while_it_arrives(start, script):
    arrived, parts = asyncio.Event(), []

    async def answer(it, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        parts.append(await reader.readuntil(b"first"))
        arrived.set()
        parts.append(await reader.readuntil(b"\r\n0\r\n\r\n"))
        writer.write(response(b'{"id":"file-1"}'))

    async def body():
        yield b"--b\r\ncontent-disposition: form-data; name=file\r\n\r\nfirst"
        await arrived.wait()  # the provider has it before the client has sent the rest
        yield b"second\r\n--b--\r\n"

    _, url = await script(answer)
    house = await start(url)
    reply = await house.ask("POST", "/v1/files", body(), content_type="multipart/form-data; boundary=b")
    assert reply.body == b'{"id":"file-1"}'
    assert (house.row.path, house.row.cost_nano, house.row.wire) == ("/v1/files", 0, "openai.other")


async def test_a_file_that_the_official_client_uploads_arrives_whole(start, script):
    content = bytes(range(256)) * 4000
    got = bytearray()

    async def answer(it, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        while not got.endswith(b"\r\n0\r\n\r\n"):
            size = int(await reader.readuntil(b"\r\n"), 16)
            got.extend(await reader.readexactly(size))
            end = await reader.readexactly(2)
            if size == 0:
                break
            assert end == b"\r\n"
        made = {"id": "file-1", "object": "file", "bytes": len(content), "created_at": 1, "filename": "a", "purpose": "batch", "status": "processed"}  # fmt: skip
        writer.write(response(json.dumps(made).encode()))

    _, url = await script(answer)
    house = await start(url)
    async with house.openai() as client:
        made = await client.files.create(file=("a", content), purpose="batch")
    assert made.id == "file-1"
    assert content in got


async def test_a_download_is_passed_on_byte_for_byte(start, saying):
    data = bytes(range(256)) * 1000
    _, url = await saying(response(data, kind=b"application/octet-stream"))
    house = await start(url)
    async with house.openai() as client:
        got = await client.files.content("file-1")
    assert got.content == data
    assert got.response.headers["content-length"] == str(len(data))


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/files?limit=2&order=desc&q=a%2Fb+c"),
        ("GET", "/v1/files/a%2Fb%20c%C3%A9/content"),
        ("DELETE", "/v1/files/f?x="),
        ("GET", "/v1/models?after=gpt-4o"),
        ("PUT", "/v1/things/1"),
        ("PATCH", "/v1/things/1"),
        ("OPTIONS", "/v1/things"),
    ],
)
async def test_paths_queries_and_methods_go_through_as_they_came(start, saying, method, target):
    provider, url = await saying(response(b'{"ok":true}', b"X-Y: z"))
    house = await start(url)
    headers = {"authorization": "Bearer sk-sim"}
    async with house.session.request(method, URL(house.url + target, encoded=True), headers=headers) as reply:
        assert await reply.read() == b'{"ok":true}'
        assert reply.headers["x-y"] == "z"
    assert provider.requests[0][0].startswith(f"{method} {target} HTTP/1.1\r\n".encode())
    assert house.row.path == target.partition("?")[0]


async def test_head_goes_through(start, saying):
    provider, url = await saying(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n")
    house = await start(url)
    reply = await house.ask("HEAD", "/v1/files/f")
    assert (reply.status, reply.body, reply.get("content-length")) == (200, b"", "12")
    assert provider.requests[0][0].startswith(b"HEAD /v1/files/f HTTP/1.1\r\n")


async def test_a_204_has_no_body(start, saying):
    _, url = await saying(b"HTTP/1.1 204 No Content\r\nx-y: z\r\n\r\n")
    house = await start(url)
    reply = await house.ask("DELETE", "/v1/files/f")
    assert (reply.status, reply.body, reply.get("x-y")) == (204, b"", "z")
    assert house.row.status == 204


async def test_redirects_are_the_client_s_business(start, saying):
    _, url = await saying(response(b"", b"Location: http://127.0.0.1:1/elsewhere", status=b"302 Found"))
    house = await start(url)
    headers = {"authorization": "Bearer sk-sim"}
    async with house.session.get(house.url + "/v1/files/f", headers=headers, allow_redirects=False) as reply:
        assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:1/elsewhere")


async def test_a_model_s_name_with_its_provider_is_the_only_thing_that_changes(start, saying):
    provider, url = await saying(response(PLAIN))
    house = await start(url)
    await house.ask("POST", "/v1/chat/completions", ODD.replace(b'"gpt-4o"', b'"openai/gpt-4o"'))
    assert provider.requests[0][1] == ODD


async def test_the_environment_s_key_replaces_what_is_not_there(start, saying):
    provider, url = await saying(response(PLAIN))
    house = await start(url)
    await house.ask("POST", "/v1/chat/completions", ODD, authorization=None)
    await house.ask("POST", "/v1/messages", {"model": "m", "messages": []}, x_api_key=None)
    assert dict(names_and_values(provider.requests[0][0]))[b"authorization"] == b"Bearer sk-env"
    assert dict(names_and_values(provider.requests[1][0]))[b"x-api-key"] == b"sk-ant-env"


@pytest.mark.parametrize("extra", [b": keep-alive\n\n", b"\xef\xbb\xbfdata: 1\n\n", b"data: {\n\n"])
async def test_whatever_else_is_in_a_stream_goes_through(start, saying, extra):
    sent = [extra, word("a"), extra, LAST, DONE, extra]
    _, url = await saying(STREAM, *map(chunk, sent), END)
    house = await start(url)
    reply = await house.ask("POST", "/v1/chat/completions", ASK)
    assert reply.body.partition(b": farthing ")[0] == b"".join(sent)


async def test_the_official_clients_do_not_mind_the_comment_without_done(start, saying):
    """A provider that closes its stream without [DONE]: our comment is then the last that the client reads."""
    _, url = await saying(STREAM, chunk(word("a")), chunk(LAST), END)
    house = await start(url)
    async with house.openai() as client:
        stream = await client.chat.completions.create(**ASK)
        chunks = [part async for part in stream]
    assert [part.choices[0].delta.content for part in chunks] == ["a", None]
