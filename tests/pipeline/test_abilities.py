import pytest

from farthing.pipeline.abilities import abilities, lacks, told, traits_of
from farthing.policy import Provider, Quirks
from farthing.policy.model import Model
from farthing.prices.capabilities import Capabilities
from farthing.wire.translate.conversation import Traits

PLAIN = Quirks()
KNOWN = Capabilities(context=100, tools=True, images=True, documents=True, json_schema="tool", source="data")


def test_the_settings_go_before_the_data_and_the_longer_name_first():
    asked = []

    def find(provider, api, model):
        asked.append((provider, api, model))
        return KNOWN

    providers = {"a": Provider("https://a.example", "anthropic"), "o": Provider("https://o.example/v1")}
    able = abilities(providers, {"m": Model(context=1), "o/m": Model(context=2)}, find)
    assert [able(name, "m").context for name in ("a", "o", "o")] == [1, 2, 2]
    assert able("gone", "x") == KNOWN
    assert asked == [("a", "anthropic", "m"), ("o", "openai", "m"), ("gone", "openai", "x")], "each is looked up once"


@pytest.mark.parametrize(
    ("own", "becomes"),
    [
        (Model(context=5), {"context": 5, "tools": True, "source": "settings, data"}),
        (Model(images=False), {"images": False, "documents": False, "audio": False}),
        (Model(images=False, documents=True), {"images": False, "documents": True}),
        (Model(json_schema=True), {"json_schema": "native"}),
        (Model(json_schema=False), {"json_schema": "none"}),
        (Model(json_schema="tool"), {"json_schema": "tool"}),
        (Model(tools=False), {"tools": False, "json_schema": "none"}),
    ],
)
def test_what_the_settings_say(own, becomes):
    found = told(own, KNOWN)
    assert {key: getattr(found, key) for key in becomes} == becomes


def test_what_is_unknown_is_assumed_to_be_possible():
    every = {"tools", "images", "documents", "audio", "json_schema", "thinking", "logprobs", "several_choices", "files"}
    assert lacks(Capabilities(), PLAIN, every) == set()


@pytest.mark.parametrize(
    ("can", "quirks", "lacking"),
    [
        (Capabilities(tools=False), PLAIN, {"tools"}),
        (Capabilities(images=False, documents=False, audio=False), PLAIN, {"images", "documents", "audio"}),
        (Capabilities(json_schema="none"), PLAIN, {"json_schema"}),
        (Capabilities(json_schema="none"), Quirks(json_schema="native"), set()),
        (Capabilities(thinking="none"), PLAIN, {"thinking"}),
        (
            Capabilities(),
            Quirks(without=("logprobs", "logit_bias", "n")),
            {"logprobs", "logit_bias", "several_choices"},
        ),
    ],
)
def test_what_a_model_or_an_endpoint_lacks(can, quirks, lacking):
    every = {"tools", "images", "documents", "audio", "json_schema", "thinking"}
    every |= {"logprobs", "logit_bias", "several_choices"}
    assert lacks(can, quirks, every) == lacking
    assert lacks(can, quirks, ()) == set()


def test_the_traits_of_a_model_at_a_provider():
    quirks = Quirks("max_tokens", call_ids="mistral", without=("user",))
    can = Capabilities(max_output=9, json_schema="none", thinking="effort", sampling=False)
    assert traits_of(can, Provider("https://x/v1", quirks=quirks)) == Traits(
        max_output=9,
        json_schema="none",
        thinking="effort",
        sampling=False,
        limit_field="max_tokens",
        call_ids="mistral",
        without=frozenset({"user"}),
    )


@pytest.mark.parametrize(
    ("kind", "thinking", "told", "schema"),
    [
        ("openai", "adaptive", "effort", "native"),
        ("openai", "budget", "effort", "native"),
        ("anthropic", "effort", "budget", "tool"),
        ("anthropic", "adaptive", "adaptive", "tool"),
        ("anthropic", None, "none", "tool"),
        ("openai", "none", "none", "native"),
    ],
)
def test_thinking_is_asked_for_in_the_words_of_the_api(kind, thinking, told, schema):
    found = traits_of(Capabilities(thinking=thinking), Provider("https://x", kind))
    assert (found.thinking, found.json_schema, found.sampling) == (told, schema, True)
