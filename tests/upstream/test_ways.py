"""Which ways there are, and which of them a conversation prefers."""

from __future__ import annotations

from collections import Counter

from farthing.policy import Policy, Provider
from farthing.policy.model import BUILT_IN, Tiers
from farthing.upstream.targets import Choice
from farthing.upstream.ways import Plan, Ways, by_affinity

ENVIRON = {"OPENAI_API_KEY": "k0", "SECOND": "k1", "ANTHROPIC_API_KEY": "a", "AZURE": "z"}
PROVIDERS = {
    **BUILT_IN,
    "openai": Provider(
        "https://one.example/v1", "openai", "OPENAI_API_KEY", (), ("https://two.example/v1",), ("SECOND",)
    ),
    "azure": Provider("https://azure.example/v1", "openai", "AZURE"),
}


def maker(_provider: str, _api: str, model: str) -> str | None:
    return "anthropic" if model.startswith("claude") else "openai" if model.startswith("gpt") else None


def ways(**settings: object) -> Ways:
    return Ways(Policy(providers=PROVIDERS, **settings), ENVIRON, maker)


def models(plan: Plan) -> list[tuple[str, str | None]]:
    return [(group[0].provider, group[0].model) for group in plan.groups]


def test_every_endpoint_with_every_key():
    [group] = ways().plan("openai.chat", Choice("openai", "gpt-x")).groups
    assert [(way.base, way.key) for way in group] == [
        ("https://one.example/v1", "k0"), ("https://one.example/v1", "k1"),
        ("https://two.example/v1", "k0"), ("https://two.example/v1", "k1"),
    ]  # fmt: skip
    assert len({way.name for way in group}) == 4
    assert len({way.endpoint for way in group}) == 2
    assert not any("k0" in way.name or "k1" in way.name for way in group), "names are told, keys are not"


def test_the_client_s_own_key_goes_through_and_no_further_than_its_provider():
    settings = {"fallback": {"gpt-x": ("azure/gpt-x", "gpt-y")}}
    plan = ways(**settings).plan("openai.chat", Choice("openai", "gpt-x"), b"digest")
    assert models(plan) == [("openai", "gpt-x"), ("openai", "gpt-y")]
    assert all(b"digest".hex() in way.name for group in plan.groups for way in group)
    assert {way.key for group in plan.groups for way in group} == {None}


def test_a_chain_goes_before_the_tier():
    settings = {"fallback": {"gpt-4*": ("azure/gpt-x",)}, "tiers": Tiers(complex=("gpt-4o", "gpt-5"))}
    assert models(ways(**settings).plan("openai.chat", Choice("openai", "gpt-4o"))) == [
        ("openai", "gpt-4o"), ("azure", "gpt-x"),
    ]  # fmt: skip


def test_the_tier_is_gone_through_from_the_model_on():
    settings = {"tiers": Tiers(moderate=("m1", "m2", "azure/m3"))}
    assert models(ways(**settings).plan("openai.chat", Choice("openai", "m2"))) == [
        ("openai", "m2"), ("azure", "m3"), ("openai", "m1"),
    ]  # fmt: skip


TIER_OF_ALL = {"tiers": Tiers(complex=("gpt-4o", "claude-x", "azure/gpt-4o"))}


def test_a_model_of_the_other_api_may_take_over_what_can_be_translated():
    plan = ways(**TIER_OF_ALL).plan("openai.chat", Choice("openai", "gpt-4o"))
    assert models(plan) == [("openai", "gpt-4o"), ("anthropic", "claude-x"), ("azure", "gpt-4o")]
    assert [(group[0].api, group[0].wire) for group in plan.groups] == [
        ("openai", None), ("anthropic", "anthropic.messages"), ("openai", None),
    ]  # fmt: skip
    back = ways(**TIER_OF_ALL).plan("anthropic.messages", Choice("anthropic", "claude-x"))
    assert [(group[0].provider, group[0].wire) for group in back.groups] == [
        ("anthropic", None), ("azure", "openai.chat"), ("openai", "openai.chat"),
    ]  # fmt: skip


def test_a_model_of_the_other_api_has_no_place_where_nothing_can_be_translated():
    settings = TIER_OF_ALL
    assert models(ways(**settings).plan("openai.embeddings", Choice("openai", "gpt-4o"))) == [
        ("openai", "gpt-4o"), ("azure", "gpt-4o"),
    ]  # fmt: skip
    assert models(ways(**settings).plan("anthropic.other", Choice("anthropic", "claude-x"))) == [
        ("anthropic", "claude-x"),
    ]  # fmt: skip


def test_a_provider_without_any_key_is_no_fallback():
    plan = Ways(Policy(fallback={"gpt-x": ("azure/gpt-x",)}, providers=PROVIDERS), {"OPENAI_API_KEY": "k0"}, maker)
    assert models(plan.plan("openai.chat", Choice("openai", "gpt-x"))) == [("openai", "gpt-x")]


def test_session_pin_is_replica_independent():
    one, other = (ways().plan("openai.chat", Choice("openai", "gpt-x")).groups[0] for _ in range(2))
    for number in range(100):
        affinity = b"session %d" % number
        assert by_affinity(one, affinity) == by_affinity(other[::-1], affinity)


def test_conversations_spread_over_the_ways_and_stay_when_one_goes():
    [group] = ways().plan("openai.chat", Choice("openai", "gpt-x")).groups
    first = {n: by_affinity(group, b"%d" % n)[0] for n in range(400)}
    shares = Counter(way.name for way in first.values())
    assert all(60 <= count <= 140 for count in shares.values())
    gone, *rest = group
    moved = [n for n, way in first.items() if by_affinity(tuple(rest), b"%d" % n)[0] != way]
    assert all(first[n] == gone for n in moved)


def test_a_plan_is_made_once():
    made = ways()
    assert made.plan("openai.chat", Choice("openai", "g")) is made.plan("openai.chat", Choice("openai", "g"))


def test_better_tiers_are_for_what_is_too_long():
    settings = {"tiers": Tiers(simple=("s1", "s2"), moderate=("claude-x", "m1"), complex=("s2", "c1"))}
    plan = ways(**settings).plan("openai.chat", Choice("openai", "s1"))
    assert models(plan) == [("openai", "s1"), ("openai", "s2")]
    assert [group[0].model for group in plan.better] == ["claude-x", "m1", "c1"]
    assert ways(**settings).plan("openai.chat", Choice("openai", "unknown")).better == ()
