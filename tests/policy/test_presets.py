import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from farthing.errors import ConfigError
from farthing.policy import load_policy
from farthing.policy.presets import presets, ready, sellers, waiting
from farthing.policy.provider import BUILT_IN, Provider, Quirks

PLACES = {"AZURE_OPENAI_RESOURCE": "mine", "ANTHROPIC_FOUNDRY_RESOURCE": "mine", "AWS_REGION": "eu-west-1"}
KEYS = {one.api_key_env: "key" for one in presets().values() if one.api_key_env}


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> dict[str, Provider]:
    path = folder / "farthing.toml"
    path.write_text(text)
    return load_policy(path, environ or {}).providers


def problem(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, environ)
    return str(raised.value)


@pytest.mark.parametrize("name", list(presets()))
def test_every_known_provider_can_be_used_by_an_empty_table(tmp_path, name):
    made = loaded(tmp_path, f"[providers.{name}]", PLACES)[name]
    preset = presets()[name]
    address = urlsplit(made.base_url)
    assert re.fullmatch(r"[a-z0-9.-]+", address.hostname)
    assert (address.scheme, address.query, address.fragment) in {("https", "", ""), ("http", "", "")}
    assert not made.base_url.endswith("/")
    assert (made.kind, made.quirks, made.preset, made.scheme == "none") == (
        preset.kind,
        preset.quirks,
        name,
        not preset.api_key_env,
    )
    assert made.kind == "openai" or not made.base_url.endswith("/v1")


def test_the_two_that_are_built_in_are_as_the_data_say(tmp_path):
    assert loaded(tmp_path, "[providers.openai]\n[providers.anthropic]") == BUILT_IN


def test_a_table_overrides_key_by_key_down_to_single_quirks(tmp_path):
    made = loaded(
        tmp_path,
        """
        [providers.groq]
        api_key_env = "SECOND_KEY"
        models = ["llama-*"]
        quirks = { without = ["logprobs"] }
        [providers.mistral.quirks]
        stream_options = true
        """,
    )
    groq, mistral = presets()["groq"], presets()["mistral"]
    assert (made["groq"].base_url, made["groq"].api_key_env) == (groq.base_url, "SECOND_KEY")
    assert made["groq"].quirks == Quirks("max_completion_tokens", without=("logprobs",))
    assert made["mistral"].quirks.stream_options
    assert made["mistral"].quirks.without == mistral.quirks.without


def test_another_name_takes_the_data_of_a_known_one(tmp_path):
    made = loaded(tmp_path, '[providers.my-azure]\npreset = "azure"\nresource = "mine"\nregion = "unused"')["my-azure"]
    assert (made.base_url, made.scheme, made.api_key_env) == (
        "https://mine.openai.azure.com/openai/v1",
        "api-key",
        "AZURE_OPENAI_API_KEY",
    )


def test_places_are_filled_from_settings_before_the_environment(tmp_path):
    text = '[providers.bedrock]\nregion = "us-east-1"\nbase_urls = ["https://b.{region}.example/v1"]'
    assert loaded(tmp_path, text, PLACES)["bedrock"].base_urls == ("https://b.us-east-1.example/v1",)
    assert "us-east-1" in loaded(tmp_path, text, PLACES)["bedrock"].base_url
    assert "eu-west-1" in loaded(tmp_path, "[providers.bedrock]", PLACES)["bedrock"].base_url
    environ = {"FARTHING_PROVIDERS_BEDROCK_REGION": "ap-south-1"}
    assert "ap-south-1" in loaded(tmp_path, "", environ)["bedrock"].base_url


def test_the_environment_reaches_single_quirks(tmp_path):
    environ = {
        "FARTHING_PROVIDERS_MY_OWN_BASE_URL": "http://x/v1",
        "FARTHING_PROVIDERS_MY_OWN_QUIRKS_CALL_IDS": "mistral",
    }
    assert loaded(tmp_path, "", environ)["my_own"].quirks == Quirks(call_ids="mistral")
    assert problem(tmp_path, "", environ | {"FARTHING_PROVIDERS_MY_OWN_QUIRKS_CALL_IDS": "x"}).startswith(
        "FARTHING_PROVIDERS_MY_OWN_QUIRKS_CALL_IDS: 'x' is not allowed"
    )


def test_what_speaks_neither_api_goes_through_litellm(tmp_path):
    made = loaded(
        tmp_path,
        """
        [providers.cohere]
        via = "litellm"
        api_key_env = "COHERE_API_KEY"
        [providers.my-sagemaker]
        via = "litellm/sagemaker_chat"
        auth = "none"
        base_url = "https://gpu.example/x"
        """,
    )
    cohere, own = made["cohere"], made["my-sagemaker"]
    assert (cohere.via, cohere.base_url, cohere.api_key_env) == (
        "litellm/cohere", "litellm://cohere", "COHERE_API_KEY",
    )  # fmt: skip
    assert not cohere.quirks.responses, "only chat goes through it, so responses are translated"
    assert (own.via, own.base_url) == ("litellm/sagemaker_chat", "https://gpu.example/x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('via = "portkey"', "allowed are"),
        ('via = "litellm/Not A Name"', "allowed are"),
        ('via = "litellm"\nkind = "anthropic"', "leave kind out"),
    ],
)
def test_only_litellm_can_be_gone_through(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        loaded(tmp_path, f"[providers.x]\n{text}")


def test_without_litellm_the_way_out_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("farthing.policy.load.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'farthing\[litellm\]'"):
        loaded(tmp_path, '[providers.x]\nvia = "litellm"')


def test_an_own_endpoint_has_the_common_quirks_and_a_key_of_its_own(tmp_path):
    made = loaded(tmp_path, '[providers.mine]\nbase_url = "http://127.0.0.1:9/v1"\nquirks.developer_role = true')[
        "mine"
    ]
    assert (made.scheme, made.quirks) == ("bearer", Quirks(developer_role=True))


def test_auth_can_be_changed_either_way(tmp_path):
    text = '[providers.vllm]\napi_key_env = "K"\n[providers.groq]\nauth = "none"'
    made = loaded(tmp_path, text)
    assert (made["vllm"].scheme, made["vllm"].api_key_env) == ("bearer", "K")
    assert (made["groq"].scheme, made["groq"].api_key_env) == ("none", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[providers.azure]", ["line 1", "[providers.azure] resource", "is missing", "AZURE_OPENAI_RESOURCE"]),
        ("[providers.b]\npreset = 'bedrock'", ["line 1", "[providers.b] region", "AWS_REGION or AWS_DEFAULT_REGION"]),
        (
            "[providers.x]\nbase_url = 'https://{zone}.x'",
            ["line 2", "base_url", "no {zone}", "{resource} and {region}"],
        ),
        ("[providers.x]\npreset = 'azur'", ["line 2", "'azur' is no known provider", "did you mean azure?"]),
        ("[providers.x]\npreset = 3", ["line 2", "preset", "3 is no known provider"]),
        ("[providers.groq]\nauth = 'basic'", ["line 2", "'basic'", "bearer and x-api-key and api-key and none"]),
        ("[providers.groq]\nquirks = { call_id = 'any' }", ["line 2", "[providers.groq.quirks] call_id", "call_ids?"]),
        ("[providers.groq.quirks]\n\njson_schema = 'no'", ["line 3", "'no'", "native and tool and none"]),
        ("[providers.groq]\nquirks = 1", ["line 2", "[providers.groq.quirks]", "table"]),
        ("[providers.x]\nbase_url = 'http://x'\nauth = 'none'\napi_key_env = 'X'", ["line 4", 'auth = "bearer"']),
        ("[models.x]\njson_schema = 'maybe'", ["line 2", "'maybe'", "native and tool and none"]),
        ("[models.x]\ncontext = 0", ["line 2", "0 is not above 0"]),
    ],
)
def test_an_error_names_key_line_and_the_way_out(tmp_path, text, words):
    message = problem(tmp_path, text)
    for word in words:
        assert word in message


def test_a_key_in_the_environment_is_enough_and_changes_nothing_else(tmp_path):
    found = loaded(tmp_path, "", {"GROQ_API_KEY": "gsk", "AZURE_OPENAI_API_KEY": "no resource"})
    assert list(found) == ["openai", "anthropic", "groq"]
    assert found["groq"] == loaded(tmp_path, "[providers.groq]")["groq"]
    assert found["groq"].models == ()
    assert list(loaded(tmp_path, '[providers.groq]\nbase_url = "http://g"', {"GROQ_API_KEY": "gsk"})) == list(found)


def test_what_is_ready_and_what_waits_for_more():
    assert {name for name, _ in ready(KEYS | PLACES)} == {
        name for name, one in presets().items() if one.api_key_env
    } - {*BUILT_IN}
    assert [name for name, _ in ready({})] == []
    lacking = dict(waiting(KEYS))
    assert set(lacking) == {"azure", "azure-anthropic", "bedrock", "bedrock-anthropic"}
    assert "resource" in lacking["azure"]
    assert dict(waiting(KEYS | PLACES)) == {}


def test_whose_prices_hold(tmp_path):
    text = '[providers.work]\npreset = "gemini"\n[providers.own]\nbase_url = "http://x"\n[providers.vllm]'
    assert sellers(loaded(tmp_path, text)) == {"openai": "openai", "anthropic": "anthropic", "work": "google"}
    assert sellers(BUILT_IN) == {}
