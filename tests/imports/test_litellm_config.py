import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from farthing.errors import ConfigError
from farthing.imports.litellm_config import sheet_of
from farthing.imports.sheet import Sheet
from farthing.policy import load_policy


def sheet(text):
    return sheet_of(yaml.safe_load(text), "config.yaml")


def loaded(tmp_path, made):
    path = tmp_path / "farthing.toml"
    path.write_text(made.toml())
    return load_policy(path, {})


USUAL = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 600, tpm: 90000}
  - model_name: smart
    litellm_params: {model: claude-sonnet-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
  - model_name: cheap
    litellm_params: {model: groq/llama-3.3-70b, api_key: os.environ/MY_GROQ, temperature: 0.1}
  - model_name: in-house
    litellm_params: {model: openai/qwen, api_base: "http://gpu.example:8000/v1", api_key: none}
router_settings:
  fallbacks: [{gpt-4o: [cheap, in-house]}]
  num_retries: 2
  routing_strategy: least-busy
litellm_settings: {request_timeout: 60, drop_params: true}
general_settings: {master_key: sk-1234}
"""


def test_a_usual_file(tmp_path):
    made = sheet(USUAL)
    policy = loaded(tmp_path, made)
    assert policy.aliases == {
        "smart": "anthropic/claude-sonnet-4-5",
        "cheap": "groq/llama-3.3-70b",
        "in-house": "gpu-example/qwen",
    }
    assert policy.providers["groq"].base_url == "https://api.groq.com/openai/v1"
    assert policy.providers["groq"].api_key_env == "MY_GROQ"
    assert policy.providers["gpu-example"].base_url == "http://gpu.example:8000/v1"
    assert policy.fallback == {"gpt-4o": ("groq/llama-3.3-70b", "gpu-example/qwen")}
    assert policy.rates["openai/gpt-4o"].requests_per_minute == 600
    assert policy.rates["openai/gpt-4o"].tokens_per_minute == 90_000
    assert (policy.mode, policy.retries.attempts, policy.server.read_timeout) == ("save", 3, "60s")
    assert not policy.cache.exact  # LiteLLM caches nothing unless it is told to
    noted = dict(made.notes)
    assert noted["cheap (groq/llama-3.3-70b) temperature"] == "the app says it in its request"
    assert {"router_settings routing_strategy", "litellm_settings drop_params", "general_settings master_key"} <= set(
        noted
    )


def test_no_key_gets_into_the_file():
    text = sheet(
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o, api_key: sk-very-secret}}]\n"
        "general_settings: {master_key: sk-also-secret}"
    ).toml()
    assert "secret" not in text
    assert "OPENAI_API_KEY" in text


def test_deployments_that_differ_in_keys_or_addresses_are_one_provider(tmp_path):
    policy = loaded(
        tmp_path,
        sheet(
            "model_list:\n"
            + "".join(
                "  - {model_name: gpt, litellm_params: {model: azure/gpt-4o, "
                f"api_base: 'https://{host}.openai.azure.com/', api_key: os.environ/AZURE, rpm: {rpm}}}}}\n"
                for host, rpm in (("east", 60), ("west", 30))
            )
            + "  - {model_name: fast, litellm_params: {model: groq/x, api_key: os.environ/ONE}}\n"
            "  - {model_name: fast, litellm_params: {model: groq/x, api_key: os.environ/TWO}}\n"
        ),
    )
    azure, groq = policy.providers["azure"], policy.providers["groq"]
    assert azure.base_url == "https://east.openai.azure.com/openai/v1"
    assert azure.base_urls == ("https://west.openai.azure.com/openai/v1",)
    assert policy.rates["azure/gpt-4o"].requests_per_minute == 30
    assert (groq.api_key_env, groq.api_key_envs) == ("ONE", ("TWO",))
    assert policy.aliases == {"gpt": "azure/gpt-4o", "fast": "groq/x"}


def test_other_deployments_of_a_name_follow_one_another(tmp_path):
    made = sheet(
        "model_list:\n"
        "  - {model_name: any, litellm_params: {model: gpt-4o}}\n"
        "  - {model_name: any, litellm_params: {model: mistral/large}}\n"
        "router_settings: {fallbacks: [{any: [gpt-4.1]}], default_fallbacks: [any]}\n"
    )
    policy = loaded(tmp_path, made)
    assert policy.aliases == {"any": "openai/gpt-4o"}
    assert policy.fallback == {"openai/gpt-4o": ("mistral/large", "gpt-4.1"), "*": ("openai/gpt-4o",)}
    assert "any: load spread over openai/gpt-4o, mistral/large" in dict(made.notes)


def test_wildcards(tmp_path):
    made = sheet(
        "model_list:\n"
        "  - {model_name: 'anthropic/*', litellm_params: {model: 'anthropic/*'}}\n"
        "  - {model_name: 'mine/*', litellm_params: {model: 'groq/*'}}\n"
        "  - {model_name: '*', litellm_params: {model: 'openrouter/*'}}\n"
    )
    policy = loaded(tmp_path, made)
    assert policy.aliases == {}
    assert policy.providers["openrouter"].models == ("*",)
    assert dict(made.notes) == {"mine/* (groq/*)": "its models are asked for as groq/NAME"}


def test_the_cache_and_other_names(tmp_path):
    made = sheet(
        "model_list: [{model_name: a, litellm_params: {model: gpt-4o}}]\n"
        "router_settings: {model_group_alias: {b: a, c: {model: a, hidden: true}, d: 5}, context_window_fallbacks: "
        "[{a: [gpt-4.1]}]}\n"
        "litellm_settings: {cache: true, cache_params: {type: redis, ttl: 600}}\n"
        "mcp_servers: {x: {}}\n"
    )
    policy = loaded(tmp_path, made)
    assert policy.aliases == {"a": "openai/gpt-4o", "b": "openai/gpt-4o", "c": "openai/gpt-4o"}
    assert policy.fallback == {"openai/gpt-4o": ("gpt-4.1",)}
    assert (policy.mode, policy.cache.exact, policy.cache.ttl) == ("save", True, "600s")
    assert set(dict(made.notes)) == {"model_group_alias d", "cache_params type", "mcp_servers"}


def test_what_cannot_be_reached_is_said():
    made = sheet(
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: bedrock/claude, aws_region_name: us-east-1}}\n"
        "  - {model_name: b, litellm_params: {model: azure/x}}\n"
        "  - {model_name: c, litellm_params: {model: openai/x, api_base: os.environ/BASE}}\n"
        "  - {model_name: d}\n"
    )
    assert {
        "a (bedrock/claude)",
        "b (azure/x)",
        "c (openai/x) api_base",
        "entry 4 of model_list",
    } == set(dict(made.notes))
    assert list(made.providers) == ["base-invalid"]


@pytest.mark.parametrize("config", [None, [], {}, {"model_list": {}}])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(ConfigError, match=r"x\.yaml: is no configuration of LiteLLM's"):
        sheet_of(config, "x.yaml")


texts = st.text(max_size=20)


@given(
    st.dictionaries(texts, st.one_of(texts, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.lists(texts))),
    st.lists(st.tuples(texts, texts)),
    texts,
)
def test_whatever_the_names_the_file_is_toml(table, notes, source):
    made = Sheet(source, tables={"cache": dict(table)}, aliases={"a": "b"}, notes=list(notes))
    read = tomllib.loads(made.toml())
    assert read.get("cache", {}) == table
    assert read["aliases"] == {"a": "b"}


names = st.sampled_from(["a", "gpt-4o", "claude-x", "openai/*", "*", "groq/x", "é"])
entries = st.fixed_dictionaries(
    {"model_name": names},
    optional={
        "litellm_params": st.fixed_dictionaries(
            {},
            optional={
                "model": st.one_of(names, st.sampled_from(["azure/x", "bedrock/y", "ollama/z", "openai/*"])),
                "api_base": st.sampled_from(["http://a.example", "http://b.example/v1/", "os.environ/BASE", 5]),
                "api_key": st.sampled_from(["os.environ/KEY", "os.environ/OTHER", "sk-1", 7]),
                "rpm": st.one_of(st.integers(-1, 100), texts),
            },
        )
    },
)
settings = st.dictionaries(
    st.sampled_from(["fallbacks", "default_fallbacks", "num_retries", "timeout", "model_group_alias", "cache", "x"]),
    st.one_of(
        st.integers(-1, 20),
        st.booleans(),
        names,
        st.lists(st.one_of(names, st.dictionaries(names, st.lists(names)))),
        st.dictionaries(names, names),
    ),
)


@given(st.lists(entries), settings, settings)
def test_whatever_is_read_the_result_can_be_loaded(tmp_path_factory, entries, router, general):
    made = sheet_of({"model_list": entries, "router_settings": router, "litellm_settings": general}, "config.yaml")
    loaded(tmp_path_factory.mktemp("made"), made)
