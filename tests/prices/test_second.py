import json

import pytest

from farthing.errors import PriceError
from farthing.prices import second
from farthing.prices.book import PriceBook

NOW = 1_795_600_000.0
GPT = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05}


def checked(tmp_path, *, provider=None, match="", **models):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({name.replace("_o_", "4o"): value for name, value in models.items()}))
    return second.check(PriceBook.load(), second.read(path), NOW, provider, match)


def test_two_sources_that_agree(tmp_path):
    found = checked(tmp_path, **{"gpt-4o": GPT, "openai/gpt-4o": GPT})
    assert (found.compared, found.apart, found.unknown) == (1, [], [])


def test_every_price_that_differs_is_named(tmp_path):
    other = GPT | {"input_cost_per_token": 3e-06, "cache_creation_input_token_cost": 0.0}
    found = checked(tmp_path, **{"gpt-4o": other, "gpt-nosuch": GPT, "openai/gpt-4o": other})
    assert found.apart == [second.Apart("openai", "gpt-4o", "input", "2.5", "3")]
    assert found.unknown == ["openai/gpt-nosuch"]


def test_the_price_of_long_prompts_is_compared_too(tmp_path):
    entry = {
        "litellm_provider": "openai", "mode": "responses", "input_cost_per_token": 1, "input_cost_per_token_above_272k_tokens": 2,
    }  # fmt: skip
    found = checked(tmp_path, **{"gpt-5.4": entry})
    assert [one.price for one in found.apart] == ["input", "input above 272,000"]
    assert found.apart[0].farthing != found.apart[1].farthing


def test_it_can_be_narrowed(tmp_path):
    models = {"gpt-4o": GPT, "gpt-4o-mini": GPT, "claude-haiku-4-5": GPT | {"litellm_provider": "anthropic"}}
    assert checked(tmp_path, provider="anthropic", **models).compared == 1
    assert checked(tmp_path, match="MINI", **models).compared == 1


def test_what_cannot_be_compared_is_left_out(tmp_path):
    sound = GPT | {"mode": "audio_speech"}
    found = checked(tmp_path, **{"gpt-4o": GPT, "tts": sound, "else": GPT | {"litellm_provider": "x"}, "note": "text"})
    assert found.compared == 1


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"a": 1}', '{"gpt-4o": {"litellm_provider": "openai", "mode": "chat"}}']
)
def test_a_file_of_another_form_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(PriceError, match="x.json"):
        second.read(tmp_path / "x.json")
    with pytest.raises(PriceError, match="cannot be read"):
        second.read(tmp_path / "nosuch.json")
