"""What can be wrapped, with which settings, and where its calls go."""

import anthropic
import httpx2
import openai
import pytest
from tests.gateway.test_clients import CHAT, MESSAGE
from tests.sdk.conftest import KEY

import farthing
from farthing.errors import ConfigError, PriceError, StoreError
from farthing.policy import Policy, Provider, Store
from farthing.policy.model import BUILT_IN, Prices
from farthing.sdk.engines import ENGINES


def client(kind=openai.OpenAI, **options):
    return kind(api_key=KEY, **options)


@pytest.mark.parametrize("kind", [openai.OpenAI, openai.AsyncOpenAI, anthropic.Anthropic, anthropic.AsyncAnthropic])
def test_a_copy_of_the_same_kind_with_its_options(app, kind):
    plain = client(kind, max_retries=7, timeout=3.5, default_headers={"x-mine": "1"})
    wrapped = farthing.wrap(plain, config=app.policy)
    assert type(wrapped) is kind
    assert wrapped is not plain
    assert (wrapped.max_retries, wrapped.timeout, wrapped.api_key) == (7, 3.5, KEY)
    assert wrapped.default_headers["x-mine"] == "1"
    assert wrapped.base_url == plain.base_url


def test_a_subclass_stays_one(app):
    class Mine(openai.OpenAI):
        pass

    assert type(farthing.wrap(Mine(api_key=KEY), config=app.policy)) is Mine


@pytest.mark.parametrize("other", [object(), "openai", httpx2.Client()])
def test_other_things_are_refused(app, other):
    with pytest.raises(TypeError, match=r"openai\.OpenAI, .*, anthropic\.AsyncAnthropic, not a "):
        farthing.wrap(other, config=app.policy)


def test_azure_s_client_is_refused(app):
    azure = openai.AzureOpenAI(api_key="k", azure_endpoint="https://x.example", api_version="2024-10-21")
    with pytest.raises(TypeError, match="not a AzureOpenAI"):
        farthing.wrap(azure, config=app.policy)


def test_wrong_settings_are_told_at_once(app, tmp_path):
    with pytest.raises(ConfigError, match=r"wrap\(mode='off'\): allowed are observe and save"):
        farthing.wrap(client(), config=app.policy, mode="off")
    with pytest.raises(ConfigError, match="no such file"):
        farthing.wrap(client(), config=tmp_path / "missing.toml", environ={})
    with pytest.raises(ConfigError, match="FARTHING_CACHE_TTL"):
        farthing.wrap(client(), environ={"FARTHING_CACHE_TTL": "soon"})
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        farthing.wrap(client(), config=Policy(store=Store(f"sqlite:///{tmp_path}/file/x.db")), environ={})
    with pytest.raises(PriceError):
        farthing.wrap(client(), config=Policy(store=app.policy.store, prices=Prices(file=str(tmp_path / "no.toml"))))


def test_settings_from_a_file_and_from_where_the_process_is(app, sim, tmp_path, monkeypatch):
    (tmp_path / "farthing.toml").write_text(
        f'mode = "save"\n[store]\nurl = "sqlite:///here.db"\n[providers.openai]\nbase_url = "{sim.openai_url}"\n'
    )
    monkeypatch.chdir(tmp_path)
    wrapped = farthing.wrap(client(), environ={})
    monkeypatch.chdir("/")
    app.journal = tmp_path / "here.db.journal"
    for _ in range(2):
        wrapped.chat.completions.create(**CHAT)
    assert [row.cache for row in app.rows] == ["miss", "exact"]


def test_one_engine_for_one_ledger_and_one_seat_for_one_configuration(app):
    one, two = app.wrap(openai.OpenAI), app.wrap(anthropic.Anthropic)
    third = app.wrap(openai.OpenAI, mode="save")
    one.chat.completions.create(**CHAT)
    two.messages.create(**MESSAGE)
    third.chat.completions.create(**CHAT)
    assert len(ENGINES._engines) == 1
    assert len(ENGINES._seats) == 2
    assert [(row.provider, row.cache) for row in app.rows] == [
        ("openai", "off"),
        ("anthropic", "off"),
        ("openai", "miss"),
    ]
    assert len({path.name.rpartition("-")[0] for path in app.journal.glob("*.jsonl")}) == 1


def test_a_call_after_a_close_begins_anew(app):
    wrapped = app.wrap(openai.OpenAI)
    wrapped.chat.completions.create(**CHAT)
    farthing.close()
    assert not ENGINES._engines
    wrapped.chat.completions.create(**CHAT)
    assert len(app.rows) == 2


def test_a_client_wrapped_twice_is_recorded_once(app):
    again = farthing.wrap(app.wrap(openai.OpenAI), config=app.policy, mode="save", environ={})
    again.chat.completions.create(**CHAT)
    assert app.row.cache == "miss"


def test_its_own_http_client_keeps_hooks_and_headers(app, sim):
    seen = []
    own = httpx2.Client(headers={"x-mine": "1"}, event_hooks={"response": [seen.append]})
    app.wrap(openai.OpenAI, http_client=own).chat.completions.create(**CHAT)
    assert [reply.status_code for reply in seen] == [200]
    assert sim.received[-1].headers["x-mine"] == "1"


# ------------------------------------------------------------ where it goes


def test_our_own_headers_stay_here_and_the_key_goes_through(app, sim):
    with farthing.tags(user="ada"):
        app.wrap(openai.OpenAI).chat.completions.create(**CHAT, extra_headers={"x-farthing-mode": "observe"})
    headers = sim.received[-1].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in headers if "farthing" in name or "helicone" in name]


def test_the_body_is_as_the_client_made_it(app, sim, simulate):
    with simulate() as direct:
        client(base_url=direct.openai_url).chat.completions.create(**CHAT)
        app.wrap(openai.OpenAI).chat.completions.create(**CHAT)
        assert sim.received[-1].body == direct.received[-1].body
        assert sim.received[-1].path == direct.received[-1].path


def test_another_base_url_is_the_provider_s_that_has_it(app, sim, simulate):
    with simulate() as other:
        app.with_(providers={**app.policy.providers, "other": Provider(other.openai_url + "/")})
        app.wrap(openai.OpenAI, base_url=other.openai_url).chat.completions.create(**CHAT)
        assert (app.row.provider, len(other.received), len(sim.received)) == ("other", 1, 0)


@pytest.mark.parametrize("kind", [openai.OpenAI, anthropic.Anthropic])
def test_or_that_of_a_provider_named_after_its_host(app, sim, kind):
    app.with_(providers=dict(BUILT_IN))
    if kind is openai.OpenAI:
        app.wrap(kind, base_url=sim.openai_url).chat.completions.create(**CHAT)
    else:
        app.wrap(kind, base_url=sim.url).messages.create(**MESSAGE)
    assert app.row.provider == sim.url.removeprefix("http://")
    assert app.bill() == sim.invoice.by_model()


def test_a_copy_with_another_base_url_goes_there(app, sim, simulate):
    with simulate() as other:
        wrapped = app.wrap(openai.OpenAI).with_options(base_url=other.openai_url)
        wrapped.chat.completions.create(**CHAT)
        assert (len(other.received), len(sim.received)) == (1, 0)
        assert app.row.provider == other.url.removeprefix("http://")


def test_a_client_s_own_key_goes_to_no_other_provider(app, simulate):
    with simulate() as other:
        app.with_(providers={**app.policy.providers, "other": Provider(other.openai_url, api_key_env="OTHER_KEY")})
        wrapped = app.wrap(openai.OpenAI, environ={"OTHER_KEY": "sk-other"})
        wrapped.chat.completions.create(**CHAT | {"model": "other/gpt-4o"})
        assert other.received[-1].headers["authorization"] == "Bearer sk-other"
        with pytest.raises(openai.AuthenticationError, match="set OTHER_KEY"):
            app.wrap(openai.OpenAI).chat.completions.create(**CHAT | {"model": "other/gpt-4o"})


def test_a_virtual_key_that_is_not_known(app):
    with pytest.raises(openai.AuthenticationError, match="not known or was revoked"):
        app.wrap(openai.OpenAI, api_key="fk-nobody").chat.completions.create(**CHAT)
    assert app.row.caller.tenant == "unauthenticated"


def test_nothing_else_is_there():
    with pytest.raises(AttributeError, match="no attribute 'unwrap'"):
        _ = farthing.unwrap
