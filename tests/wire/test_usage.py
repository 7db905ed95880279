import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.types import Facts, Usage
from farthing.wire.anthropic_usage import anthropic_usage, merge, usage_object
from farthing.wire.openai_usage import embeddings_usage, openai_usage, usual_usage
from farthing.wire.routes import wire_for

CHAT = wire_for("POST", "/v1/chat/completions")
TOKENS = st.integers(0, 10_000)


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.booleans())
def test_token_classes_are_disjoint_for_every_wire(fresh, read, short, long, output, hidden, chat):
    prompt, reasoning = fresh + read + short + long, min(hidden, output)
    details = {"cached_tokens": read, "cache_write_tokens": short + long}
    details["cache_write_tokens_details"] = {"ttl_30m_tokens": short, "ttl_12h_tokens": long}
    names = ("prompt", "completion") if chat else ("input", "output")
    usage = openai_usage(
        {
            f"{names[0]}_tokens": prompt,
            f"{names[1]}_tokens": output,
            "total_tokens": prompt + output,
            f"{names[0]}_tokens_details": details,
            f"{names[1]}_tokens_details": {"reasoning_tokens": reasoning},
        }
    )
    expected = Usage(
        input=fresh, cache_read=read, cache_write_5m=short, cache_write_1h=long, output=output, reasoning=reasoning
    )
    assert usage == expected
    claude = anthropic_usage(
        {
            "input_tokens": fresh,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": short + long,
            "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": reasoning},
        }
    )
    assert claude == expected
    assert claude.prompt_tokens == prompt


@given(TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, TOKENS, st.integers(0, 3))
def test_what_anthropic_reports_is_what_it_means(fresh, read, short, long, output, hidden, searches):
    usage = Usage(
        input=fresh,
        cache_read=read,
        cache_write_5m=short,
        cache_write_1h=long,
        output=output,
        reasoning=min(hidden, output),
        web_searches=searches,
    )
    assert anthropic_usage(usage_object(usage)) == usage


def test_sounds_and_pictures_count_as_text_where_there_is_no_class_for_them():
    usage = Usage(input=1, input_audio=2, input_image=4, cache_read=8, cache_read_audio=16, output=32, output_image=64)
    assert anthropic_usage(usage_object(usage)) == Usage(input=7, cache_read=24, output=96)


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_audio_and_images_are_in_the_total_once(prompt, cached, audio, image):
    audio, image, cached = min(audio, prompt), min(image, prompt - min(audio, prompt)), min(cached, prompt)
    usage = openai_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio, "image_tokens": image},
        }
    )
    assert usage is not None
    assert usage.prompt_tokens == prompt
    assert usage.cache_read + usage.cache_read_audio == cached
    assert usage.input_audio + usage.cache_read_audio == audio


def test_cached_audio_is_taken_at_its_word():
    details = {"cached_tokens": 50, "audio_tokens": 80, "cached_tokens_details": {"audio_tokens": 50}}
    usage = openai_usage({"prompt_tokens": 100, "completion_tokens": 0, "prompt_tokens_details": details})
    assert usage == Usage(input=20, cache_read_audio=50, input_audio=30)


def test_image_and_audio_output_leave_the_text():
    details = {"image_tokens": 1000, "audio_tokens": 5, "reasoning_tokens": 3}
    usage = openai_usage({"input_tokens": 10, "output_tokens": 1020, "output_tokens_details": details})
    assert usage == Usage(input=10, output=15, output_image=1000, output_audio=5, reasoning=3)


def test_cached_read_is_not_billed_as_input():
    usage = openai_usage(
        {"prompt_tokens": 1200, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 1024}}
    )
    assert usage == Usage(input=176, cache_read=1024, output=7)


def test_cache_write_billed_once():
    usage = openai_usage(
        {"prompt_tokens": 2000, "completion_tokens": 1, "prompt_tokens_details": {"cache_write_tokens": 1900}}
    )
    assert usage == Usage(input=100, cache_write_5m=1900, output=1)
    claude = anthropic_usage({"input_tokens": 100, "cache_creation_input_tokens": 1900, "output_tokens": 1})
    assert claude == usage


def test_thoughts_are_billed_output():
    usage = openai_usage({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 116})
    assert usage == Usage(input=11, output=105, reasoning=100)


def test_thoughts_that_are_in_the_completion_are_not_billed_twice():
    details = {"reasoning_tokens": 100}
    usage = openai_usage(
        {"prompt_tokens": 11, "completion_tokens": 105, "total_tokens": 116, "completion_tokens_details": details}
    )
    assert usage == Usage(input=11, output=105, reasoning=100)


def test_deepseek_says_its_hits_beside_the_totals():
    usage = openai_usage(
        {"prompt_tokens": 192, "completion_tokens": 4, "prompt_cache_hit_tokens": 128, "prompt_cache_miss_tokens": 64}
    )
    assert usage == Usage(input=64, cache_read=128, output=4)


def test_zero_usage_is_zero():
    assert openai_usage({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}) == Usage()
    assert anthropic_usage({"input_tokens": 0, "output_tokens": 0}) == Usage()
    assert embeddings_usage({"prompt_tokens": 0, "total_tokens": 0}) == Usage()


@pytest.mark.parametrize(
    "usage", [{}, {"prompt_tokens": None}, {"type": "duration", "seconds": 3}, {"input_tokens": "9"}]
)
def test_usage_without_tokens_is_unknown(usage):
    assert openai_usage(usage) is None
    assert anthropic_usage(usage) is None
    assert embeddings_usage(usage) is None


def test_odd_details_do_not_break_the_totals():
    usage = openai_usage(
        {"prompt_tokens": 10.0, "completion_tokens": 2, "prompt_tokens_details": [1], "total_tokens": True}
    )
    assert usage == Usage(input=10, output=2)


def test_a_total_alone_is_input():
    assert openai_usage({"total_tokens": 7}) == Usage(input=7)
    assert embeddings_usage({"total_tokens": 7}) == Usage(input=7)


def test_later_counts_replace_earlier_ones():
    start = {
        "input_tokens": 0,
        "output_tokens": 1,
        "cache_creation": {"ephemeral_1h_input_tokens": 5},
        "service_tier": "standard",
    }
    after = merge(start, {"input_tokens": 25, "output_tokens": 15, "cache_creation_input_tokens": None})
    assert after == start | {"input_tokens": 25, "output_tokens": 15}
    again = merge(after, {"cache_creation_input_tokens": 12, "cache_creation": {"ephemeral_5m_input_tokens": 7}})
    assert anthropic_usage(again) == Usage(input=25, cache_write_5m=7, cache_write_1h=5, output=15)


def test_usage_twice_counts_once(golden):
    for wire, file in (("/v1/chat/completions", "openai.chat"), ("/v1/messages", "anthropic.messages")):
        once, twice = (wire_for("POST", wire).tap(Facts(stream=True)) for _ in range(2))
        once.feed(golden(f"{file}/complete.sse"))
        twice.feed(golden(f"{file}/usage_twice.sse"))
        assert twice.outcome(ended=True).usage == once.outcome(ended=True).usage is not None


def test_raw_usage_is_kept_as_it_came(golden):
    plain = golden("openai.chat/complete.json")
    raw = wire_for("POST", "/v1/chat/completions").outcome(plain, 200).raw_usage
    assert raw is not None
    assert raw in plain


def test_raw_usage_of_a_claude_stream_is_merged(golden):
    tap = wire_for("POST", "/v1/messages").tap(Facts(stream=True))
    tap.feed(golden("anthropic.messages/complete.sse"))
    assert tap.outcome(ended=True).raw_usage == (
        b'{"input_tokens":25,"cache_creation_input_tokens":300,"cache_read_input_tokens":1000,'
        b'"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},'
        b'"output_tokens":15,"service_tier":"standard"}'
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(-1, 5))
def test_the_quick_reading_of_usage_says_what_the_thorough_one_says(prompt, output, cached, reasoning, off):
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output + off,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    quick = usual_usage(msgspec.json.encode(usage))
    assert quick is None or quick == openai_usage(usage)
    assert (quick is None) == (off != 0 or cached > prompt)


WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
MAYBE = st.one_of(st.none(), WORDS, st.integers(), st.booleans())
CHAT_USAGE = st.fixed_dictionaries(
    {"prompt_tokens": TOKENS, "completion_tokens": TOKENS},
    optional={
        "total_tokens": TOKENS,
        "prompt_tokens_details": st.fixed_dictionaries({}, optional={"cached_tokens": TOKENS, "audio_tokens": TOKENS}),
        "completion_tokens_details": st.fixed_dictionaries({}, optional={"reasoning_tokens": TOKENS}),
        "cost": st.floats(0, 1),
    },
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": MAYBE},
    optional={"tool_calls": st.lists(st.just({"id": "1"}), max_size=2), "function_call": MAYBE, "refusal": MAYBE},
)
CHOICES = st.fixed_dictionaries({"message": MESSAGES, "finish_reason": MAYBE}, optional={"index": st.integers(0, 3)})
REPLIES = st.fixed_dictionaries(
    {"id": WORDS, "model": WORDS, "choices": st.lists(CHOICES, max_size=2), "usage": CHAT_USAGE},
    optional={"service_tier": MAYBE, "error": st.one_of(st.none(), st.just({"code": "broken"})), "new": MAYBE},
)


@given(REPLIES)
def test_the_usual_reply_is_read_as_any_other(reply):
    """The short cut for most replies says what the long way says, or leaves it to it."""
    body = msgspec.json.encode(reply)
    # A second, empty choice is unusual and changes nothing: it sends the reply the long way.
    longer = msgspec.json.encode(reply | {"choices": [*reply["choices"], {}]})
    assert CHAT.outcome(body, 200) == CHAT.outcome(longer, 200)
