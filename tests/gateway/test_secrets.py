"""What must not get out: credentials, and requests to addresses that are not the configuration's."""

import itertools
import logging
from pathlib import Path

from farthing.limits.keys import KeyRing

CHAT = "/v1/chat/completions"
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "How do I top up my card?"}]}
OWN, ENVIRONMENT = "sk-own-5f1c9a", "sk-environment-77aa01"


def written(house):
    """Every byte that the gateway has left on the disk, and the log is not."""
    folder = Path(house.policy.store.path).parent
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_secrets_never_in_logs_errors_traces(start, sim, saying, caplog):
    """Answered, refused, unreachable, nonsense, a fault of our own: no key is in reply, log, journal or cache."""
    caplog.set_level(logging.DEBUG)
    environ = {"OPENAI_API_KEY": ENVIRONMENT, "ANTHROPIC_API_KEY": ENVIRONMENT}
    _, nonsense = await saying(b"this is no HTTP\r\n\r\n")
    replies, disk = [], b""
    for provider in (sim, "http://127.0.0.1:1/v1", nonsense):
        house = await start(provider, environ=environ)
        _, virtual = KeyRing(Path(house.policy.store.keys)).create(
            tenant="acme", name="", role="app", clock=lambda: 1_750_000_000.0
        )
        bearers = (f"Bearer {OWN}", f"Bearer {virtual}", "Bearer fk-unknown-31d0c4", None)
        for bearer, body in itertools.product(bearers, (QUESTION, QUESTION | {"stream": True}, b"{", {"model": 3})):
            replies += [await house.ask("POST", CHAT, body, authorization=bearer)]
        house.app.runtime._handler = None  # a fault inside: the log gets a trace
        replies.append(await house.ask("POST", CHAT, QUESTION, authorization=f"Bearer {OWN}"))
        disk += written(house)
        secrets = [OWN, ENVIRONMENT, virtual, "fk-unknown-31d0c4"]
        said = caplog.text + "".join(f"{reply.headers}{reply.body!r}" for reply in replies)
        assert [secret for secret in secrets if secret in said or secret.encode() in disk] == []
    assert {reply.status for reply in replies} >= {200, 400, 401, 500, 502}
    assert "Traceback" in caplog.text
    assert b"top up" in disk  # the search does find what is there


async def test_upstream_only_from_config(house, sim, script):
    """No header, body or path sends a request, and with it a key, to another address."""
    trap, address = await script(lambda it, reader, _writer: it.request(reader))
    bare = address.removesuffix("/v1")
    headers = {
        "x_portkey_custom_host": address, "x_portkey_provider": address, "helicone_target_url": address,
        "x_litellm_api_base": address, "x_farthing_provider": address, "x_farthing_base_url": address,
        "x_forwarded_host": bare, "forwarded": f"host={bare}", "host": bare.removeprefix("http://"),
    }  # fmt: skip
    body = QUESTION | {"api_base": address, "base_url": address, "model": "gpt-4o"}
    await house.ask("POST", CHAT, body, **headers)
    for path in (f"/v1/{bare}/x", f"/v1//{bare.removeprefix('http://')}/x", "/v1/@127.0.0.1/x", "/%761/models"):
        await house.ask("GET", path, **headers)
    assert trap.connections == 0
    assert len(sim.received) >= 1
