from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.ledger.span import Parts, Span, layers, nearest, split, widened

HOUR = 3_600
H = HOUR * 10**6
bound = st.none() | st.integers(0, 9 * H)


def covered(parts: Parts, at: int) -> int:
    whole = parts.whole
    inside = whole is not None and Span(*(None if one is None else one * 10**6 for one in whole)).contains(at)
    return inside + sum(edge.contains(at) for edge in parts.edges) - sum(cut.contains(at) for cut in parts.minus)


@given(bound, bound, st.integers(0, 9 * H))
def test_every_time_of_the_span_is_covered_once(since: int | None, until: int | None, at: int) -> None:
    span = Span(since, until)
    assert covered(split(span, HOUR), at) == span.contains(at)


@given(bound, bound)
def test_edges_are_parts_of_one_bucket(since: int | None, until: int | None) -> None:
    for edge in split(Span(since, until), HOUR).edges:
        assert edge.since is not None
        assert edge.until is not None
        assert edge.since // H == (edge.until - 1) // H


@given(st.integers(0, 9 * H), st.integers(0, 9 * H), st.integers(0, 9 * H), st.integers(0, 9 * H))
def test_neighbouring_spans_add_up_even_before_the_horizon(one: int, two: int, three: int, at: int) -> None:
    first, second, third = sorted((one, two, three))
    horizon = 4 * HOUR
    parts = [split(Span(*pair), HOUR, horizon) for pair in ((first, second), (second, third), (first, third))]
    assert covered(parts[0], at) + covered(parts[1], at) == covered(parts[2], at)


@given(bound, bound, st.integers(0, 9 * H), st.sampled_from([0, 4 * HOUR]))
def test_the_nearest_buckets_cover_the_same(since: int | None, until: int | None, at: int, horizon: int) -> None:
    span = Span(since, until)
    parts = nearest(span, HOUR, horizon)
    assert covered(parts, at) == covered(split(span, HOUR, horizon), at)
    for part in [*parts.edges, *parts.minus]:
        assert part.since is not None
        assert part.until is not None
        assert part.since // H == (part.until - 1) // H
        assert parts.whole is None or part.until - part.since <= H // 2
        assert horizon == 0 or part.until > horizon * 10**6


day = st.none() | st.integers(0, 80).map(lambda hours: hours * HOUR)


@given(day, day, st.integers(0, 80 * H))
def test_layers_cover_whole_hours_once(since: int | None, until: int | None, at: int) -> None:
    whole = Span(since, until)
    found = list(layers(None if whole.is_empty else whole, days=True, hours=True))
    assert sum(span.contains(at // 10**6) for _, span in found) == whole.contains(at // 10**6)
    for table, span in found:
        assert table == "rollups" or all(bound is None or bound % 86_400 == 0 for bound in span)


def test_a_widened_span_has_whole_buckets() -> None:
    assert widened(Span(H + 1, 2 * H + 1), HOUR) == Span(HOUR, 3 * HOUR)
    assert widened(Span(None, H), HOUR) == Span(None, HOUR)


@pytest.mark.parametrize(
    ("span", "parts"),
    [
        (Span(None, None), Parts(Span(None, None), [])),
        (Span(H, 3 * H), Parts(Span(HOUR, 3 * HOUR), [])),
        (Span(H + 1, H + 5), Parts(None, [Span(H + 1, H + 5)])),
        (Span(H - 1, H + 1), Parts(None, [Span(H - 1, H), Span(H, H + 1)])),
        (Span(5, 5), Parts(None, [])),
        (Span(9, 5), Parts(None, [])),
    ],
)
def test_examples(span: Span, parts: Parts) -> None:
    assert split(span, HOUR) == parts
