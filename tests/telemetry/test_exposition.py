"""The text is what Prometheus' own parser reads."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from farthing.telemetry.exposition import Family, Sample, exposition

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]))


def read(*families):
    return list(text_string_to_metric_families(exposition(families).decode()))


@unhurried
@given(TEXTS.filter(lambda text: "\r" not in text), TEXTS)
def test_any_text_comes_back_as_it_was(text, value):
    (family,) = read(Family("a_total", "counter", text, [Sample((("x", value), ("y", "")), 3)]))
    (sample,) = family.samples
    assert (sample.labels, sample.value) == ({"x": value, "y": ""}, 3)


def test_money_is_a_decimal():
    assert b'\na_total{x="b"} 12345678.000000001\n' in exposition(
        [Family("a_total", "counter", "Text.", [Sample((("x", "b"),), "12345678.000000001")])]
    )


def test_a_family_without_samples_is_left_out():
    assert exposition([Family("a", "gauge", "Text.", [])]) == b"\n"


def test_a_text_that_is_no_unicode_does_not_stop_the_rest():
    assert exposition([Family("a", "gauge", "Text.", [Sample((("x", "\ud800"),), 1)])]).endswith(b'a{x="?"} 1\n')
