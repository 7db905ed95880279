from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.dashboard import text
from farthing.money import NANO


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (None, text.UNKNOWN),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (123, "$0.000000123"),
        (999_999_999, "$1.00"),
        (50_000_000, "$0.05"),
        (123_456_789, "$0.123"),
        (1_005_000_000, "$1.00"),  # half to even
        (3_600 * NANO, "$3,600.00"),
        (-5 * NANO, f"{text.MINUS}$5.00"),
    ],
)
def test_dollars(nano, shown):
    assert text.dollars(nano) == shown


@given(st.integers(0, 10**15))
def test_shown_dollars_are_within_half_a_percent_or_half_a_cent(nano):
    shown = text.dollars(nano).removeprefix("$").replace(",", "")
    whole, _, fraction = shown.partition(".")
    value = int(whole) * NANO + int(fraction.ljust(9, "0"))
    assert abs(value - nano) <= max(nano // 200, 5_000_000 if nano >= NANO else 0)
    assert value or not nano, "something that costs never reads as nothing"


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (None, 5, text.UNKNOWN),
        (1, 0, text.UNKNOWN),
        (0, 5, "0%"),
        (1, 3, "33.3%"),
        (1, 2, "50%"),
        (1, 10**6, "<0.1%"),
        (-1, 2, f"{text.MINUS}50%"),
    ],
)
def test_share(part, whole, shown):
    assert text.share(part, whole) == shown


@pytest.mark.parametrize(
    ("amount", "step", "shown"),
    [
        (0, NANO, "$0"),
        (3 * NANO, NANO, "$3"),
        (1_500 * NANO, 500 * NANO, "$1,500"),
        (10_000 * NANO, 5_000 * NANO, "$10k"),
        (2_000_000 * NANO, 1_000_000 * NANO, "$2M"),
        (600_000_000, 200_000_000, "$0.60"),
        (2_000, 1_000, "$0.000002"),
    ],
)
def test_axis_has_the_digits_of_its_step(amount, step, shown):
    assert text.axis_dollars(amount, step) == shown


def test_times_are_utc():
    assert text.moment(1_795_586_400.9) == "25 Nov 06:00:00"
    assert text.iso(0) == "1970-01-01T00:00:00Z"
    assert (text.day(0), text.hour(3_600)) == ("1 Jan", "01:00")


def test_durations():
    assert [text.duration(us) for us in (None, 850, 12_400, 1_300_000)] == [text.UNKNOWN, "850 µs", "12 ms", "1.3 s"]
