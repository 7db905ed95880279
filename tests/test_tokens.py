import socket
import sys

import pytest

from farthing import tokens
from farthing.types import Prompt, Turn, Usage

LOREM = "The quick brown fox jumps over the lazy dog. "


@pytest.fixture
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_token_count_offline(offline):
    # Ids of tiktoken's o200k_base and cl100k_base: 10 tokens a sentence of this kind.
    assert tokens.count("hello world", "gpt-4o") == 2
    assert tokens.count(LOREM.strip(), "gpt-4o") == 10
    assert tokens.count(LOREM.strip(), "gpt-4-turbo") == 10
    assert tokens.count("", "gpt-4o") == 0


def test_old_models_have_their_own_vocabulary():
    text = "今日は良い天気ですね"
    assert tokens.count(text, "gpt-4o") != tokens.count(text, "gpt-4")
    assert tokens.count(text, "gpt-4") == tokens.count(text, "gpt-4-0613") == tokens.count(text, "gpt-3.5-turbo")


@pytest.mark.parametrize(
    ("model", "percent"),
    [
        ("claude-3-5-sonnet-20241022", 120),
        ("claude-opus-4-20250514", 120),
        ("claude-haiku-4-5-20251001", 120),
        ("claude-opus-4-7", 135),
        ("claude-4-7-opus", 135),
        ("anthropic/claude-sonnet-5", 135),
        ("claude-opus-5-5", 135),
        ("claude", 120),
        ("gpt-4o", 100),
        (None, 100),
    ],
)
def test_claude_counts_more_tokens(model, percent):
    text = LOREM * 10
    assert tokens.count(text, model) == -(-tokens.count(text, "gpt-4o") * percent // 100)


def test_half_a_surrogate_pair_is_counted():
    assert tokens.count("ok \ud800", "gpt-4o") >= 2


def test_without_the_tokenizer_four_bytes_are_a_token(monkeypatch):
    monkeypatch.setitem(sys.modules, "quicktok", None)
    assert tokens.count("abcdefghi", "gpt-4o") == 3
    assert tokens.count("日本", "gpt-4o") == 2


def test_a_very_long_text_is_sampled():
    text = LOREM * 200_000  # 9 MB
    calls = []

    class Encoder:
        def count(self, part):
            calls.append(len(part))
            return len(part) // 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_encoder", lambda model: Encoder())
        counted = tokens.count(text, "gpt-4o")
    assert sum(calls) == tokens.SLICES * tokens.SLICE
    assert abs(counted - len(text) // 5) <= len(text) // 1000


def test_a_sampled_count_is_close():
    text = LOREM * 20_000  # 900 kB
    exact = 20_000 * 10
    assert abs(tokens.count(text, "gpt-4o") - exact) < exact * 0.01


def test_estimate_counts_messages_and_attachments():
    prompt = Prompt(system="Be brief.", turns=(Turn("user", LOREM), Turn("assistant", "Yes."), Turn("user", "Why?")))
    said = f"Be brief.\n{LOREM}\nYes.\nWhy?"
    expected = tokens.count(said, "gpt-4o") + 4 * 3 + 3
    assert tokens.estimate(prompt, "Because.", "gpt-4o") == Usage(input=expected, output=2)
    pictured = Prompt(system="", turns=(Turn("user", "What is this?"),), attachments=2)
    plain = Prompt(system="", turns=(Turn("user", "What is this?"),))
    more = tokens.estimate(pictured, "", "gpt-4o").input - tokens.estimate(plain, "", "gpt-4o").input
    assert more == 2 * tokens.ATTACHMENT_TOKENS


def test_tool_definitions_are_counted_from_the_body():
    turns = (Turn("user", "Weather?"),)
    tooled = Prompt(system="", turns=turns, tools=("weather",))
    plain = Prompt(system="", turns=turns)
    bare = tokens.estimate(tooled, "", "gpt-4o").input
    assert tokens.estimate(tooled, "", "gpt-4o", body_bytes=408).input == bare + 100
    assert tokens.estimate(plain, "", "gpt-4o", body_bytes=408).input == bare
    assert tokens.estimate(tooled, "", "gpt-4o", body_bytes=0).input == bare


def test_warm_loads_the_vocabulary(monkeypatch):
    asked = []
    monkeypatch.setattr(tokens, "_encoder", asked.append)
    tokens.warm("gpt-4o")
    assert asked == ["gpt-4o"]


def test_a_usage_as_another_maker_would_have_counted_it():
    claude = Usage(input=1200, cache_read=240, cache_write_5m=120, output=60, reasoning=12)
    gpt = tokens.recounted(claude, "claude-haiku-4-5", "gpt-4o")
    assert gpt == Usage(input=1100, cache_read=200, output=50, reasoning=10), "what was written would be plain input"
    assert tokens.recounted(gpt, "gpt-4o", "claude-haiku-4-5") == Usage(
        input=1320, cache_read=240, output=60, reasoning=12
    )


def test_models_that_count_alike_keep_their_usage():
    usage = Usage(input=7, cache_write_1h=3, output=1)
    assert tokens.recounted(usage, "claude-haiku-4-5", "claude-3-haiku-20240307") is usage
    assert tokens.recounted(usage, "gpt-4o", None) is usage
