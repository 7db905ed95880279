from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.counterfactual import expected_usage
from farthing.types import Usage

counts = st.integers(0, 50_000)
usages = st.builds(
    Usage,
    input=counts,
    cache_read=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    output=counts,
    input_audio=counts,
    input_image=counts,
)
apis = st.sampled_from(["openai", "anthropic"])
ages = st.floats(0, 10_000)
warmth = st.none() | counts


@given(usages, apis, ages, warmth)
def test_prompt_tokens_are_conserved(stored, api, age_s, warm):
    now = expected_usage(stored, api, age_s, warm)
    assert now.prompt_tokens == stored.prompt_tokens
    assert now.output == stored.output
    assert min(now.input, now.cache_write_5m, now.cache_write_1h) >= 0


@given(usages, apis, ages, warmth)
def test_the_baseline_is_never_dearer_than_the_stored_call(stored, api, age_s, warm):
    now = expected_usage(stored, api, age_s, warm)
    assert now.cache_read >= stored.cache_read
    assert now.input <= stored.input
    assert now.cache_write_5m <= stored.cache_write_5m
    assert now.cache_write_1h <= stored.cache_write_1h


@given(usages, ages, warmth)
def test_without_markers_anthropic_caches_nothing(stored, age_s, warm):
    plain = Usage(input=stored.input, output=stored.output)
    assert expected_usage(plain, "anthropic", age_s, warm) == plain


def test_openai_reads_whole_steps_of_an_identical_prompt():
    stored = Usage(input=1500, output=10)
    assert expected_usage(stored, "openai", 60, None) == Usage(input=92, cache_read=1408, output=10)
    assert expected_usage(stored, "openai", 601, None) == stored
    assert expected_usage(Usage(input=1023), "openai", 1, None) == Usage(input=1023)
    assert expected_usage(Usage(input=1024), "openai", 1, None) == Usage(cache_read=1024)


def test_openai_prefix_that_others_keep_warm():
    stored = Usage(input=3000)
    assert expected_usage(stored, "openai", 9999, 1280) == Usage(input=1720, cache_read=1280)
    assert expected_usage(stored, "openai", 9999, 99_999) == Usage(input=56, cache_read=2944)


def test_openai_models_that_bill_writes_keep_a_prefix_longer():
    stored = Usage(input=0, cache_write_5m=2048)
    assert expected_usage(stored, "openai", 1700, None) == Usage(cache_read=2048)


def test_anthropic_write_becomes_a_read_within_its_lifetime():
    stored = Usage(input=50, cache_write_5m=2000, cache_write_1h=1000)
    assert expected_usage(stored, "anthropic", 299, None) == Usage(input=50, cache_read=3000)
    assert expected_usage(stored, "anthropic", 3000, None) == Usage(input=50, cache_read=1000, cache_write_5m=2000)
    assert expected_usage(stored, "anthropic", 4000, None) == stored
    assert expected_usage(stored, "anthropic", 4000, 99_999) == Usage(input=50, cache_read=3000)


def test_what_is_known_of_the_model_goes_before_the_usual_minimum():
    assert expected_usage(Usage(input=640), "openai", 1, None, 512) == Usage(cache_read=640)
    assert expected_usage(Usage(input=2000), "openai", 1, None, 4096) == Usage(input=2000)
