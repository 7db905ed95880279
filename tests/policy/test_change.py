"""What may change while farthing runs."""

import msgspec

from farthing.policy import Policy, Provider
from farthing.policy.change import FIXED, changed, held
from farthing.policy.load import TABLES
from farthing.policy.model import Cache, Retries, Server, Store


def test_what_differs_is_named_key_by_key():
    new = Policy(
        mode="save",
        providers={"openai": Provider("https://a.example/v1"), "groq": Provider("https://b.example/v1")},
        retries=Retries(attempts=1),
        cache=Cache(ttl="1d", wait="1s"),
        notices=("[fit] has no effect",),
    )
    assert changed(Policy(), Policy()) == []
    assert changed(Policy(), new) == [
        "mode",
        "[providers.anthropic]",
        "[providers.groq]",
        "[providers.openai] base_url",
        "[providers.openai] api_key_env",
        "[providers.openai] preset",
        "[providers.openai] quirks",
        "[retries] attempts",
        "[cache] ttl",
        "[cache] wait",
    ]


def test_what_a_running_gateway_is_built_upon_stays_and_is_named():
    old = Policy(server=Server(port=1), store=Store(url="sqlite:///a.db"))
    new = Policy(
        server=Server(port=2, workers=3, max_body="1MB"), store=Store(url="sqlite:///b.db", examples=False),
        cache=Cache(max_size="2GB", exact=False),
    )  # fmt: skip
    kept, waiting = held(old, new)
    assert waiting == ["[server] port", "[server] workers", "[store] url", "[cache] max_size"]
    assert kept == Policy(
        server=Server(port=1, max_body="1MB"), store=Store(url="sqlite:///a.db", examples=False),
        cache=Cache(exact=False),
    )  # fmt: skip
    assert held(old, old) == (old, [])


def test_every_fixed_setting_exists():
    for section, keys in FIXED.items():
        assert set(keys) <= {field.name for field in msgspec.structs.fields(TABLES[section])}
