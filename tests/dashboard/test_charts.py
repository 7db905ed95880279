from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.dashboard import charts

AMOUNTS = st.integers(0, 10**14)


@given(AMOUNTS)
def test_axis_reaches_the_highest_value_in_few_round_steps(highest):
    step, top = charts.scale(highest)
    assert top >= highest
    assert top % step == 0
    assert 1 <= top // step <= 5
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert top - highest < step or highest == 0


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=60))
def test_blocks_stack_without_gaps_and_stay_in_the_plot(pairs):
    names = [f"day {index}" for index in range(len(pairs))]
    series = [
        charts.Series("a", tuple(a for a, _ in pairs), "s0"),
        charts.Series("b", tuple(b for _, b in pairs), "s1"),
    ]
    chart = charts.stacked("spend", names, names, series)
    assert len(chart.columns) == len(pairs)
    for column, amounts in zip(chart.columns, pairs, strict=True):
        assert 0 <= column.x <= column.x + column.width <= 100.01
        assert len(column.blocks) == sum(1 for amount in amounts if amount)
        edge = float(chart.height)
        for block in column.blocks:
            assert block.y + block.height == pytest.approx(edge, abs=0.11)
            edge = block.y
        assert edge >= -0.11


@given(st.integers(1, 400))
def test_axis_labels_fit_and_the_newest_is_among_them(number):
    names = [str(index) for index in range(number)]
    chart = charts.stacked("spend", names, names, [charts.Series("a", (1,) * number, "s0")])
    assert 1 <= len(chart.x_ticks) <= charts.MOST_LABELS
    assert chart.x_ticks[-1].label == names[-1]
    assert not chart.x_ticks[-1].minor
    assert [tick.at for tick in chart.x_ticks] == sorted(tick.at for tick in chart.x_ticks)


def test_a_column_says_what_it_stands_for_dearest_last():
    series = [charts.Series("search", (2 * 10**9, 0), "s0"), charts.Series("saved", (10**9, 0), "saved")]
    chart = charts.stacked("spend", ["Mon", "Tue"], ["Mon", "Tue"], series)
    assert [column.title for column in chart.columns] == ["Mon\nsaved: $1.00\nsearch: $2.00", "Tue\nnothing spent"]
    assert [tick.label for tick in chart.y_ticks] == ["$0", "$1", "$2", "$3"]


def test_a_loss_is_no_bar_below_the_axis():
    chart = charts.stacked("spend", ["Mon"], ["Mon"], [charts.Series("saved", (-5,), "saved")])
    assert chart.columns[0].blocks == ()


def test_nothing_at_all_still_has_an_axis():
    chart = charts.stacked("spend", ["Mon"], ["Mon"], [])
    assert [tick.at for tick in chart.y_ticks] == [220, 0]
