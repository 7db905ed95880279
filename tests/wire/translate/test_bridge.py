"""Which wire is spoken with whom, and what it cannot say."""

import pytest

from farthing.wire.translate.bridge import CHAT, COUNTED, MESSAGES, RESPONSES, barred, spoken


@pytest.mark.parametrize(
    ("wire", "kind", "responses", "found"),
    [
        (CHAT, "openai", True, CHAT),
        (CHAT, "anthropic", True, MESSAGES),
        (MESSAGES, "anthropic", True, MESSAGES),
        (MESSAGES, "openai", True, CHAT),
        (RESPONSES, "openai", True, RESPONSES),
        (RESPONSES, "openai", False, CHAT),
        (RESPONSES, "anthropic", True, MESSAGES),
        ("openai.embeddings", "openai", True, "openai.embeddings"),
        ("openai.embeddings", "anthropic", True, None),
        ("anthropic.count_tokens", "anthropic", True, "anthropic.count_tokens"),
        ("anthropic.count_tokens", "openai", True, COUNTED),
        ("openai.other", "anthropic", True, None),
    ],
)
def test_the_wire_that_is_spoken(wire, kind, responses, found):
    assert spoken(wire, kind, responses=responses) == found


def test_what_a_wire_cannot_say():
    asked = frozenset({"tools", "logprobs", "many_stops", "audio", "signed_thinking"})
    assert barred(asked, CHAT) == ["logprobs", "many_stops"]
    assert barred(asked, MESSAGES) == ["audio", "logprobs"]
    assert barred(frozenset(), CHAT) == []
