import pytest

from farthing.errors import NoSuchRoute
from farthing.policy import Provider
from farthing.upstream.targets import Choice, Targets

PROVIDERS = {
    "openai": Provider("https://api.openai.com/v1"),
    "anthropic": Provider("https://api.anthropic.com", "anthropic"),
    "groq": Provider("https://api.groq.com/openai/v1/", models=("llama-*",)),
    "azure": Provider("https://x.example/openai/deployments/d", models=()),
}


TARGETS = Targets(PROVIDERS, {"smart": "groq/mixtral", "gpt-4o": "gpt-4.1"})


def maker(provider, api, model):
    return {"claude": "anthropic", "gpt": "openai"}.get(model.partition("-")[0])


def test_without_a_hint_the_first_that_speaks_the_api():
    assert TARGETS.choose("openai.chat", "gpt-4o-mini") == Choice("openai", "gpt-4o-mini")
    assert TARGETS.choose("anthropic.messages", "claude") == Choice("anthropic", "claude")
    assert TARGETS.choose("openai.models", None) == Choice("openai", None)


def test_a_prefix_or_a_pattern_names_the_provider():
    assert TARGETS.choose("openai.chat", "groq/mixtral") == Choice("groq", "mixtral", named=True)
    assert TARGETS.choose("openai.chat", "llama-3.3-70b") == Choice("groq", "llama-3.3-70b")
    assert TARGETS.choose("openai.chat", "meta/llama-4") == Choice("openai", "meta/llama-4")


def test_an_alias_stands_for_its_model():
    assert TARGETS.choose("openai.chat", "smart") == Choice("groq", "mixtral"), "the client did not name it"
    assert TARGETS.choose("openai.chat", "gpt-4o") == Choice("openai", "gpt-4.1")


def test_a_provider_of_the_other_api_is_reached_by_the_other_wire():
    assert TARGETS.choose("openai.chat", "anthropic/claude") == Choice(
        "anthropic", "claude", "anthropic.messages", named=True
    )
    assert TARGETS.choose("anthropic.messages", "groq/mixtral") == Choice("groq", "mixtral", "openai.chat", named=True)
    assert TARGETS.choose("anthropic.messages", "llama-3.3-70b") == Choice("groq", "llama-3.3-70b", "openai.chat")
    assert TARGETS.choose("openai.responses", "anthropic/claude").wire == "anthropic.messages"


def test_what_cannot_be_translated_stays_with_its_own_api():
    assert TARGETS.choose("openai.embeddings", "anthropic/claude") == Choice("openai", "anthropic/claude")
    assert TARGETS.choose("anthropic.other", "groq/mixtral") == Choice("anthropic", "groq/mixtral")


def test_a_claude_is_not_asked_for_at_openai():
    targets = Targets(PROVIDERS, {}, maker)
    assert targets.choose("openai.chat", "claude-haiku-4-5") == Choice(
        "anthropic", "claude-haiku-4-5", "anthropic.messages"
    )
    assert targets.choose("anthropic.messages", "gpt-4o") == Choice("openai", "gpt-4o", "openai.chat")
    assert targets.choose("openai.chat", "gpt-4o") == Choice("openai", "gpt-4o")
    assert targets.choose("openai.chat", "own-model") == Choice("openai", "own-model")
    assert targets.choose("openai.embeddings", "claude-haiku-4-5") == Choice("openai", "claude-haiku-4-5")


def test_an_openai_that_stands_for_a_proxy_is_taken_at_its_word():
    proxy = PROVIDERS | {"openai": Provider("https://proxy.example/v1")}
    assert Targets(proxy, {}, maker).choose("openai.chat", "claude-haiku-4-5") == Choice("openai", "claude-haiku-4-5")
    both = proxy | {"anthropic": Provider("https://proxy.example", "anthropic")}
    assert Targets(both, {}, maker).choose("openai.chat", "claude-haiku-4-5").provider == "anthropic"


def test_no_provider_for_an_api_is_said_with_the_way_out():
    with pytest.raises(NoSuchRoute, match='kind = "anthropic"'):
        Targets({"openai": PROVIDERS["openai"]}, {}).choose("anthropic.other", "claude")


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
    assert TARGETS.url(Choice(name, None), path) == url


def test_the_address_of_the_other_wire():
    url = TARGETS.url(Choice("anthropic", "claude", "anthropic.messages"), "/v1/chat/completions")
    assert url == "https://api.anthropic.com/v1/messages"


def test_an_anthropic_base_with_v1_is_understood():
    assert Targets({"a": Provider("https://a.example/v1", "anthropic")}, {}).url(Choice("a", None), "/v1/messages") == (
        "https://a.example/v1/messages"
    )
