import pytest

from farthing.errors import NoSuchRoute
from farthing.policy import Provider
from farthing.upstream.targets import Targets

PROVIDERS = {
    "openai": Provider("https://api.openai.com/v1"),
    "anthropic": Provider("https://api.anthropic.com", "anthropic"),
    "groq": Provider("https://api.groq.com/openai/v1/", models=("llama-*",)),
    "azure": Provider("https://x.example/openai/deployments/d", models=()),
}


TARGETS = Targets(PROVIDERS, {"smart": "groq/mixtral", "gpt-4o": "gpt-4.1"})


def test_without_a_hint_the_first_that_speaks_the_api():
    assert TARGETS.choose("openai", "gpt-4o-mini") == ("openai", "gpt-4o-mini")
    assert TARGETS.choose("anthropic", "claude") == ("anthropic", "claude")
    assert TARGETS.choose("openai", None) == ("openai", None)


def test_a_prefix_or_a_pattern_names_the_provider():
    assert TARGETS.choose("openai", "groq/mixtral") == ("groq", "mixtral")
    assert TARGETS.choose("openai", "llama-3.3-70b") == ("groq", "llama-3.3-70b")
    assert TARGETS.choose("openai", "meta/llama-4") == ("openai", "meta/llama-4")


def test_an_alias_stands_for_its_model():
    assert TARGETS.choose("openai", "smart") == ("groq", "mixtral")
    assert TARGETS.choose("openai", "gpt-4o") == ("openai", "gpt-4.1")


def test_no_provider_for_an_api_is_said_with_the_way_out():
    with pytest.raises(NoSuchRoute, match='kind = "anthropic"'):
        Targets({"openai": PROVIDERS["openai"]}, {}).choose("anthropic", "claude")


@pytest.mark.parametrize(
    ("name", "path", "url"),
    [
        ("openai", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("groq", "/v1/models?limit=2", "https://api.groq.com/openai/v1/models?limit=2"),
        ("anthropic", "/v1/messages?beta=true", "https://api.anthropic.com/v1/messages?beta=true"),
        ("azure", "/v1/embeddings", "https://x.example/openai/deployments/d/embeddings"),
    ],
)
def test_the_base_url_takes_the_place_of_ours(name, path, url):
    assert TARGETS.url(name, path) == url


def test_an_anthropic_base_with_v1_is_understood():
    assert Targets({"a": Provider("https://a.example/v1", "anthropic")}, {}).url("a", "/v1/messages") == (
        "https://a.example/v1/messages"
    )
