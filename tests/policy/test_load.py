import re
from pathlib import Path

import pytest

from farthing.errors import ConfigError
from farthing.policy import load_policy


def written(folder: Path, text: str) -> Path:
    path = folder / "farthing.toml"
    path.write_text(text)
    return path


def problem(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as raised:
        load_policy(written(folder, text), environ or {})
    return str(raised.value)


def test_without_a_file_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    policy = load_policy(None, {})
    assert policy.mode == "observe"
    assert (policy.server.host, policy.server.port, policy.server.workers) == ("127.0.0.1", 8321, 1)
    assert policy.store.url == "sqlite:///farthing.db"
    assert policy.providers["openai"].base_url == "https://api.openai.com/v1"
    assert policy.providers["anthropic"].kind == "anthropic"


def test_the_contract_s_own_example_is_read(tmp_path):
    policy = load_policy(
        written(
            tmp_path,
            """
            mode = "save"
            [server]
            host = "127.0.0.1"
            port = 9000
            workers = 2
            [store]
            url = "sqlite:///other.db"
            [providers.openai]
            base_url = "https://eu.api.openai.com/v1"
            [providers.groq]
            kind = "openai"
            base_url = "https://api.groq.com/openai/v1"
            api_key_env = "GROQ_API_KEY"
            models = ["llama-*"]
            [tiers]
            simple = ["gpt-4o-mini"]
            [cache]
            exact = true
            semantic = true
            threshold = 0.92
            ttl = "7d"
            max_error = 0.01
            [routing]
            enabled = true
            max_loss = 0.01
            """,
        ),
        {},
    )
    assert policy.mode == "save"
    assert policy.server.workers == 2
    assert policy.providers["openai"].api_key_env == "OPENAI_API_KEY"
    assert policy.providers["groq"].models == ("llama-*",)
    assert policy.tiers.simple == ("gpt-4o-mini",)
    assert policy.notices == ("[routing] has no effect in this version",)


def test_the_environment_goes_before_the_file(tmp_path):
    environ = {
        "FARTHING_SERVER_PORT": "1234",
        "FARTHING_MODE": "save",
        "FARTHING_CACHE_TTL": "90m",
        "FARTHING_PROVIDERS_OPENAI_BASE_URL": "http://127.0.0.1:9300/v1",
        "FARTHING_PROVIDERS_MY_OWN_BASE_URL": "http://127.0.0.1:9301/v1",
    }
    policy = load_policy(written(tmp_path, '[server]\nport = 1\n[cache]\nttl = "1d"'), environ)
    assert (policy.server.port, policy.mode, policy.cache.ttl) == (1234, "save", "90m")
    assert policy.providers["openai"].base_url == "http://127.0.0.1:9300/v1"
    assert policy.providers["my_own"].base_url == "http://127.0.0.1:9301/v1"


def test_a_variable_names_the_file(tmp_path):
    path = written(tmp_path, "[server]\nport = 77")
    assert load_policy(None, {"FARTHING_CONFIG": str(path)}).server.port == 77


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[server]\nhost = "127.0.0.1"\nport = "x"', ["line 3", "[server] port", "expected `int`, got `str`"]),
        ("[server]\n\nprot = 1", ["line 3", "[server] prot", "did you mean port?"]),
        ("mode = 'fast'", ["line 1", "mode", "'fast'", "observe and save"]),
        ("[chache]\nexact = true", ["line 1", "chache", "did you mean cache?"]),
        ("[server]\nport = 99999", ["line 2", "99999", "between 0 and 65535"]),
        ("[cache]\nttl = '7 years'", ["line 2", "[cache] ttl", "'7 years'", "24h or 7d"]),
        ("[cache]\nmax_size = 'big'", ["line 2", "64MB"]),
        ("[providers.mine]\napi_key_env = 'X'", ["line 1", "providers.mine", "base_url", "missing"]),
        ("[providers.groq]\nbase_url = 'groq.com'", ["line 2", "http:// or https://"]),
        ("[providers.groq]\nkind = 'gemini'\nbase_url = 'http://x'", ["line 2", "'gemini'", "openai and anthropic"]),
        ("[cache]\nscope = 'all'", ["line 2", "[cache] scope", "'all'", "tenant and user"]),
        ("[store]\nurl = 'postgresql://localhost/x'", ["line 2", "postgresql", "sqlite:///"]),
        ("[server\nport = 1", ["not valid TOML", "line 1"]),
        ("server = 3", ["[server]", "table"]),
    ],
)
def test_an_error_names_key_line_and_what_is_allowed(tmp_path, text, words):
    message = problem(tmp_path, text)
    for word in words:
        assert word in message


def test_an_error_in_a_variable_names_the_variable(tmp_path):
    assert problem(tmp_path, "", {"FARTHING_SERVER_PORT": "many"}).startswith("FARTHING_SERVER_PORT: expected `int`")


def test_a_missing_file_is_said_plainly(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_policy(tmp_path / "none.toml", {})


def test_rates_are_a_table_a_provider_or_pattern(tmp_path):
    text = """
    [rates."openai"]
    requests_per_minute = 10_000
    [rates."openai/gpt-4o*"]
    tokens_per_minute = 2_000_000
    wait = "5s"
    """
    environ = {"FARTHING_RATES_OPENAI_QUEUE": "7", "FARTHING_RATES_ANTHROPIC_TOKENS_PER_MINUTE": "30000"}
    rates = load_policy(written(tmp_path, text), environ).rates
    assert list(rates) == ["openai", "openai/gpt-4o*", "anthropic"]
    assert (rates["openai"].requests_per_minute, rates["openai"].tokens_per_minute) == (10_000, None)
    assert (rates["openai"].queue, rates["openai/gpt-4o*"].wait) == (7, "5s")
    assert rates["anthropic"].tokens_per_minute == 30_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[rates."opnai"]\nrequests_per_minute = 1', ["line 1", "no provider opnai", "did you mean openai?"]),
        ('[rates."openai/gpt*"]\nqueue = 1', ["line 1", "requests_per_minute", "tokens_per_minute", "is missing"]),
        ("[rates.openai]\nrequests_per_minute = 0", ["line 2", "0 is not above 0"]),
        ("[rates.openai]\ntokens_per_minute = 1\nqueue = -1", ["line 3", "-1 is below 0"]),
        ("[rates.openai]\ntokens_per_minute = 1\nburst_tokens = '1'", ["line 3", "[rates.openai] burst_tokens", "'1'"]),
        ("[rates]\nrpm = 1", ["line 2", "[rates] rpm", "should be a table"]),
        ("[rates.openai]\nrpm = 1", ["line 2", "no such setting"]),
    ],
)
def test_an_error_in_rates_names_key_and_line(tmp_path, text, words):
    message = problem(tmp_path, text)
    for word in words:
        assert word in message


def test_fallbacks_and_what_models_can_take(tmp_path):
    policy = load_policy(
        written(
            tmp_path,
            """
            [fallback]
            "gpt-4o" = ["azure/gpt-4o", "gpt-4.1"]
            [models."ollama/llama3"]
            context = 8192
            tools = false
            [providers.openai]
            base_urls = ["https://eu.example/v1"]
            api_key_envs = ["SECOND"]
            """,
        ),
        {},
    )
    assert policy.fallback == {"gpt-4o": ("azure/gpt-4o", "gpt-4.1")}
    assert (policy.models["ollama/llama3"].context, policy.models["ollama/llama3"].tools) == (8192, False)
    assert policy.providers["openai"].base_urls == ("https://eu.example/v1",)
    assert policy.providers["openai"].api_key_envs == ("SECOND",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[fallback]\ngpt = "other"', r"line 2: \[fallback\] gpt: should be a list of models"),
        ("[aliases]\nsmart = 1", r"line 2: \[aliases\] smart: should be a model"),
        ("[fallback]\ngpt = [1]", "should be a list of models"),
        ("[models.x]\ntool = true", "did you mean tools"),
        ('[providers.openai]\nbase_urls = ["eu.example"]', "base_urls.*does not start with http"),
        ('[tiers]\nsimple = "gpt-4o-mini"', r"line 2: \[tiers\] simple"),
    ],
)
def test_mistakes_in_them_are_named(tmp_path, text, told):
    assert re.search(told, problem(tmp_path, text))
