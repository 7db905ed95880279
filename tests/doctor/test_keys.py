"""Keys are there, may be keys, and are never shown."""

from pathlib import Path

import pytest

from farthing.doctor.keys import key_problem, provider_keys, virtual_keys
from farthing.limits.keys import KeyRing
from farthing.policy import Provider, Server

from .conftest import only, states

OPENAI, ANTHROPIC = "api.openai.com", "api.anthropic.com"


def test_a_key_that_is_not_there(policy_of):
    policy = policy_of(
        providers={"openai": policy_of().providers["openai"], "groq": Provider("https://g/v1", api_key_env="G")}
    )
    assert states(provider_keys(policy, {})) == [("key openai", "ok"), ("key groq", "warn")]
    environ = {"OPENAI_API_KEY": "sk-proj-0123456789abcdef", "G": "gsk_0123456789abcdef"}
    found = list(provider_keys(policy, environ))
    assert states(found) == [("key openai", "ok"), ("key groq", "ok")]
    assert not any(key in str(found) for key in environ.values())


def test_a_key_that_is_not_enough_is_told(policy_of):
    found = list(
        provider_keys(policy_of(), {"OPENAI_API_KEY": "sk-proj-0123456789abcdef", "AZURE_OPENAI_API_KEY": "k"})
    )
    (azure,) = (one for one in found if one.check == "key azure")
    assert (azure.state, "resource is missing" in azure.found) == ("warn", True)
    assert "key azure" not in dict(states(provider_keys(policy_of(), {"AZURE_OPENAI_RESOURCE": "mine"})))


@pytest.mark.parametrize(
    ("key", "host", "said"),
    [
        ("sk-proj-0123456789abcdef", OPENAI, None),
        ("sk-ant-0123456789abcdef", ANTHROPIC, None),
        ("whatever-it-is-0123456789", "llm.example", None),
        ("sk-0123456789abcdef\n", OPENAI, "line breaks"),
        ('"sk-0123456789abcdef"', OPENAI, "quotes"),
        ("fk-0123456789abcdef", OPENAI, "farthing's own"),
        ("sk-012", OPENAI, "only 6 characters"),
        ("sk-your-key-goes-here", OPENAI, "placeholder"),
        ("0123456789abcdefgh", OPENAI, "does not begin with sk-"),
        ("sk-proj-0123456789abcdef", ANTHROPIC, "does not begin with sk-ant-"),
        ("sk-ant-0123456789abcdef", OPENAI, "Anthropic's"),
    ],
)
def test_what_cannot_be_a_key_is_told_without_showing_it(key, host, said):
    problem = key_problem(key, host)
    assert problem is None if said is None else said in problem
    assert key.strip() not in (problem or "")


def test_virtual_keys(policy_of, policy):
    outside = policy_of(server=Server(host="0.0.0.0"))
    assert only(virtual_keys(policy)).state == "ok"
    assert only(virtual_keys(outside)).state == "bad"
    ring = KeyRing(Path(policy.store.keys))
    ring.create(tenant="acme", name="", role="app", clock=lambda: 1.0)
    assert only(virtual_keys(outside)).state == "warn"
    ring.create(tenant="acme", name="", role="admin", clock=lambda: 1.0)
    assert only(virtual_keys(outside)).found == "2 valid, 1 of them for the dashboard"
    Path(policy.store.keys).write_text("{")
    assert only(virtual_keys(outside)).state == "bad"
