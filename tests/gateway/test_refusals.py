"""Bad input and missing providers: an error in the shape of the client's API that names the cause and the way out."""

import asyncio
import json

import anthropic
import openai
import pytest

from farthing.policy.model import Cache

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hi"}]
PLAIN = {
    CHAT: {"model": "gpt-4o", "messages": MESSAGES},
    "/v1/responses": {"model": "gpt-4o", "input": "hi"},
    "/v1/embeddings": {"model": "text-embedding-3-small", "input": "hi"},
    "/v1/messages": {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": MESSAGES},
    "/v1/messages/count_tokens": {"model": "claude-haiku-4-5", "messages": MESSAGES},
}


def told(reply, path, status, code, *words):
    """The error has the shape of the API of this path and says these words."""
    assert reply.status == status
    assert reply.get("content-type") == "application/json"
    error = reply.error
    if path.startswith("/v1/messages"):
        assert reply.json["type"] == "error"
        assert set(error) == {"type", "message", "code"}
    else:
        assert set(error) == {"type", "message", "code", "param"}
    assert error["code"] == code
    for word in words:
        assert word in error["message"]


@pytest.mark.parametrize("path", PLAIN)
@pytest.mark.parametrize("body", [b"{", b"nothing", b'{"model":"a",}', b"\xff\xfe", b" "])
async def test_invalid_json(house, sim, path, body):
    told(await house.ask("POST", path, body), path, 400, "farthing_invalid_json", "JSON")
    assert not sim.received
    assert (house.row.status, house.row.error, house.row.path) == (400, "farthing_invalid_json", path)
    assert (house.row.calls, house.row.cost_nano, house.row.model) == ((), 0, None)


async def test_refused_requests_are_in_the_ledger_too(start, sim):
    """One row for each client request, whoever sent it, and nobody's books get what others only claim."""
    house = await start(sim, environ={}, server={"max_body": "1KB"})
    await house.ask("POST", CHAT, PLAIN[CHAT], authorization=None, x_farthing_user="u")
    await house.ask("POST", CHAT, PLAIN[CHAT], authorization="Bearer fk-stolen", x_farthing_tenant="acme")
    await house.ask("POST", CHAT, PLAIN[CHAT] | {"user": "x" * 2000}, x_farthing_tenant="acme")
    found = [(row.status, row.error, row.caller.tenant, row.cost_nano) for row in house.rows]
    assert found == [
        (401, "farthing_no_credential", "default", 0),
        (401, "farthing_unknown_key", "unauthenticated", 0),
        (413, "farthing_request_too_large", "acme", 0),
    ]
    assert house.rows[0].caller.user == "u"
    assert house.rows[0].model == "gpt-4o"


async def test_an_unknown_key_is_refused_before_the_body_is_read(house):
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer fk-x\r\ncontent-length: 99\r\n\r\n"
    writer.write(head.encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()


async def test_invalid_json_names_the_place(house):
    reply = await house.ask("POST", CHAT, b'{"model":\n oops}')
    told(reply, CHAT, 400, "farthing_invalid_json", "line 2")


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (CHAT, "model", 3), (CHAT, "messages", "hi"), (CHAT, "stream", "yes"), ("/v1/responses", "model", None),
        ("/v1/embeddings", "model", []), ("/v1/messages", "messages", {}), ("/v1/messages", "model", 1.5),
        ("/v1/messages", "stream", 1), ("/v1/messages/count_tokens", "model", {}),
    ],
)  # fmt: skip
async def test_a_field_of_the_wrong_type_is_named(house, sim, path, field, value):
    told(await house.ask("POST", path, PLAIN[path] | {field: value}), path, 400, "farthing_invalid_field", f"'{field}'")
    assert not sim.received


@pytest.mark.parametrize("path", PLAIN)
async def test_a_missing_model_is_named(house, path):
    body = {name: value for name, value in PLAIN[path].items() if name != "model"}
    told(await house.ask("POST", path, body), path, 400, "farthing_invalid_field", "'model'", "missing")


@pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
async def test_a_body_that_is_no_object(house, path):
    told(await house.ask("POST", path, b"[1]"), path, 400, "farthing_invalid_field", "JSON object")


async def test_an_unknown_model_is_the_provider_s_to_refuse(house, sim):
    reply = await house.ask("POST", CHAT, PLAIN[CHAT] | {"model": "gpt-99"})
    assert (reply.status, reply.error["code"]) == (404, "model_not_found")
    assert house.row.cost_nano == 0


@pytest.mark.parametrize("path", PLAIN)
async def test_no_credential_anywhere_names_the_variable(start, sim, path):
    house = await start(sim, environ={})
    reply = await house.ask("POST", path, PLAIN[path], authorization=None, x_api_key=None)
    variable = "ANTHROPIC_API_KEY" if path.startswith("/v1/messages") else "OPENAI_API_KEY"
    told(reply, path, 401, "farthing_no_credential", variable)
    assert not sim.received


@pytest.mark.parametrize("path", PLAIN)
async def test_a_provider_that_cannot_be_reached(start, path):
    house = await start("http://127.0.0.1:1/v1")
    reply = await house.ask("POST", path, PLAIN[path])
    told(reply, path, 502, "farthing_upstream_unreachable", "127.0.0.1:1", "base_url")
    assert reply.get("x-farthing-request-id") == house.row.id
    assert (house.row.status, house.row.cost_nano) == (502, 0)
    assert house.row.calls[0].error == "upstream_unreachable"


@pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
async def test_a_silent_provider_is_a_504_whose_bill_is_not_known(start, script, path):
    async def answer(it, reader, writer):
        await it.request(reader)

    provider, url = await script(answer)
    house = await start(url, server={"read_timeout": "50ms"})
    told(await house.ask("POST", path, PLAIN[path]), path, 504, "farthing_upstream_timeout", "read_timeout")
    await provider.lost.wait()
    assert (house.row.status, house.row.cost_nano) == (504, None)
    assert house.row.calls[0].cost_source == "unsettled"


async def test_a_stream_that_falls_silent_is_cut(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)
        event = b'data: {"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Ten."}}]}\n\n'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))

    _, url = await script(answer)
    house = await start(url, server={"read_timeout": "50ms"})
    async with house.openai() as client:
        stream = await client.chat.completions.create(**PLAIN[CHAT], stream=True)
        with pytest.raises(openai.APIError, match="silent"):
            _ = [part async for part in stream]
    assert house.row.error == "cut"


@pytest.mark.parametrize("mode", ["save", "observe"])
async def test_a_stream_that_is_silent_from_the_start(start, script, mode):
    """Nothing has reached the client: it can be told plainly. Observe mode passes on what there is."""

    async def answer(it, reader, writer):
        await it.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    _, url = await script(answer)
    house = await start(url, mode=mode, server={"read_timeout": "50ms"})
    async with house.openai() as client:
        with pytest.raises(openai.APIError, match="silent") as raised:
            _ = [part async for part in await client.chat.completions.create(**PLAIN[CHAT], stream=True)]
    assert getattr(raised.value, "status_code", None) == (502 if mode == "save" else None)
    assert house.row.calls[0].error == "cut"


async def test_a_reply_that_is_no_http(start, saying):
    _, url = await saying(b"SSH-2.0-OpenSSH_9.6\r\n")
    house = await start(url)
    told(await house.ask("POST", CHAT, PLAIN[CHAT]), CHAT, 502, "farthing_upstream_closed", "not HTTP")


async def chunks(size, count):
    for _ in range(count):
        yield b" " * size


@pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
async def test_a_body_over_the_limit_is_413(start, sim, path):
    house = await start(sim, server={"max_body": "100KB"})
    whole = await house.ask("POST", path, b" " * 200_000)
    told(whole, path, 413, "farthing_request_too_large", "100KB", "max_body")
    parts = await house.ask("POST", path, chunks(10_000, 20), content_type="application/json")
    told(parts, path, 413, "farthing_request_too_large", "100KB", "max_body")
    assert not sim.received
    within = json.dumps(PLAIN[path]).encode() + b" " * 90_000
    assert (await house.ask("POST", path, within)).status == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/chat", "/chat/completions", "/metricsx"])
async def test_a_path_that_is_nothing_says_what_there_is(house, path):
    reply = await house.ask("POST", path, b"{}")
    assert (reply.status, reply.error["code"]) == (404, "farthing_no_such_route")
    assert "/v1/" in reply.error["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", CHAT), ("POST", "/v1/nothing"), ("DELETE", "/v1/messages")])
async def test_other_methods_and_paths_are_the_provider_s_to_refuse(house, sim, method, path):
    reply = await house.ask(method, path)
    direct = await house.session.request(method, sim.url + path, headers={"authorization": "Bearer k"})
    assert reply.status == direct.status == 404
    assert house.row.path == path


async def test_health(house):
    assert (await house.ask("GET", "/healthz")).body == b"ok"
    assert (await house.ask("GET", "/readyz")).body == b"ok"


@pytest.mark.parametrize(
    ("given", "ours", "theirs"),
    [
        ({"messages": "no"}, openai.BadRequestError, anthropic.BadRequestError),
        ({"messages": [{"role": "user", "content": "x" * 200_000}]}, openai.APIStatusError, anthropic.APIStatusError),
    ],
)
async def test_the_official_clients_raise_their_own_exceptions(start, sim, given, ours, theirs):
    house = await start(sim, server={"max_body": "100KB"})
    async with house.openai() as client:
        with pytest.raises(ours) as raised:
            await client.chat.completions.create(model="gpt-4o", **given)
        assert raised.value.code.startswith("farthing_")
    async with house.anthropic() as client:
        with pytest.raises(theirs) as raised:
            await client.messages.create(model="claude-haiku-4-5", max_tokens=5, **given)
        assert raised.value.body["error"]["code"].startswith("farthing_")


async def test_the_official_clients_raise_for_providers_that_are_away(start, script):
    async def answer(it, reader, writer):
        await it.request(reader)

    _, silent = await script(answer)
    for url in ("http://127.0.0.1:1/v1", silent):
        house = await start(url, server={"read_timeout": "50ms"})
        async with house.openai() as client:
            with pytest.raises(openai.InternalServerError):
                await client.chat.completions.create(**PLAIN[CHAT])
        async with house.anthropic() as client:
            with pytest.raises(anthropic.APIStatusError) as raised:
                await client.messages.create(**PLAIN["/v1/messages"])
            assert raised.value.status_code in (502, 504)


async def test_a_fault_of_farthing_s_own_is_a_500_in_the_client_s_shape(start, sim, caplog):
    house = await start(sim)

    def broken(*_):
        raise LookupError("a bug, and a secret text")

    house.app.runtime._pool.send = broken
    for path in (CHAT, "/v1/messages"):
        reply = await house.ask("POST", path, PLAIN[path])
        told(reply, path, 500, "farthing_internal_error", "its log says why")
        assert "secret" not in reply.error["message"]
    assert "a bug" in caplog.text
    for row in house.rows:
        assert (row.status, row.error) == (500, "farthing_internal_error")
        assert [(call.error, call.cost_source) for call in row.calls] == [("internal_error", "unsettled")]


async def test_a_client_that_leaves_while_it_uploads_its_question(house, sim):
    begun = asyncio.Event()

    async def body():
        yield b'{"model"'
        begun.set()
        await asyncio.Event().wait()

    asking = asyncio.create_task(house.ask("POST", CHAT, body(), content_type="application/json"))
    await begun.wait()
    asking.cancel()
    assert (await house.ask("POST", CHAT, PLAIN[CHAT])).status == 200
    await house.settled(2)
    (left,) = (row for row in house.rows if row.status is None)
    assert (left.error, left.cost_nano, left.calls) == ("client_gone", 0, ())


async def test_without_a_cache_everything_else_works(start, sim):
    house = await start(sim, cache=Cache(exact=False))
    for _ in range(2):
        assert (await house.ask("POST", CHAT, PLAIN[CHAT])).get("x-farthing-cache") == "off"
    assert len(sim.invoice.lines) == 2
