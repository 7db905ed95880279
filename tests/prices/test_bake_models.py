import msgspec
import pytest

from farthing.prices import bake_models
from farthing.prices.capabilities import FILE, Capabilities, Data

GPT = {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000, "supports_function_calling": True}


def baked(**entries):
    return bake_models.bake({name.replace("__", "/"): entry for name, entry in entries.items()}, "litellm 1")


def of(data, shelf, name):
    return data.kinds[data.shelves[shelf][name]]


def test_what_ships_is_in_the_form_that_is_written():
    data = msgspec.json.decode(FILE.read_bytes(), type=Data)
    assert bake_models.text(data) == FILE.read_text(encoding="utf-8")


def test_only_chat_and_embeddings_of_known_providers_are_taken():
    data = baked(
        Gpt=GPT, openai__gpt=GPT, tts=GPT | {"mode": "audio_speech"}, other=GPT | {"litellm_provider": "nobody"},
        note={"mode": "chat"}, azure__eu__gpt=GPT | {"litellm_provider": "azure"}, **{"ft:gpt": GPT},
    )  # fmt: skip
    assert list(data.shelves["openai"]) == ["gpt"]
    assert set(data.shelves) == {"openai", "anthropic"}, "those corrected by hand are always there"


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        (
            {},
            {
                "tools": True,
                "images": False,
                "json_schema": "tool",
                "thinking": "none",
                "flex": False,
                "sampling": None,
            },
        ),
        ({"supports_response_schema": True, "supports_vision": True}, {"json_schema": "native", "images": True}),
        ({"supports_reasoning": True}, {"thinking": "effort", "sampling": False}),
        ({"supports_prompt_caching": True}, {"cache_minimum": 1024}),
        ({"prompt_cache_min_tokens": 512.0}, {"cache_minimum": 512}),
        ({"input_cost_per_token_flex": 1, "input_cost_per_token_batches": 1}, {"flex": True, "batch": True}),
        ({"supported_endpoints": ["/v1/responses", "/v1/batch"]}, {"apis": ("responses",), "batch": True}),
        ({"mode": "embedding"}, {"apis": ("embeddings",), "streaming": False}),
        ({"mode": "responses"}, {"apis": ("responses",)}),
    ],
)
def test_what_an_entry_says(entry, known):
    found = of(baked(gpt=GPT | entry), "openai", "gpt")
    assert {key: getattr(found, key) for key in known} == known


def test_claude_has_its_own_ways():
    claude = GPT | {"litellm_provider": "anthropic", "supports_reasoning": True}
    adaptive = {"supports_adaptive_thinking": True, "supports_native_structured_output": True}
    data = baked(**{"claude-a": claude, "claude-b": claude | adaptive})
    old, new = of(data, "anthropic", "claude-a"), of(data, "anthropic", "claude-b")
    assert (old.thinking, old.json_schema, old.apis) == ("budget", "tool", ("messages",))
    assert (new.thinking, new.json_schema, new.json_object) == ("adaptive", "native", False)


def test_a_list_that_says_little_leaves_what_it_does_not_say_unknown():
    found = of(baked(llama=GPT | {"litellm_provider": "together_ai"}), "together", "llama")
    assert found == Capabilities(context=1000, tools=True, streaming=True)


def test_corrections_by_hand_have_the_last_word():
    wrong = GPT | {"litellm_provider": "anthropic", "max_output_tokens": 1}
    data = baked(**{"claude-3-haiku-20240307": wrong})
    assert of(data, "anthropic", "claude-3-haiku-20240307").max_output == 4096
    assert "claude-3-haiku-20240307" in data.house["anthropic"]
