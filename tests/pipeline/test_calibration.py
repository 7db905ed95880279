"""Estimates that learn from the bill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.pipeline.calibration import EVERY_S, LARGEST, LEAST, MOST, Calibration


def test_it_comes_near_what_is_billed():
    learned = Calibration()
    assert learned.factor("claude") == 1.0
    for number in range(40):
        learned.note("claude", 1_000, 1_300 + (number % 2) * 20, number * EVERY_S)
    assert learned.factor("claude") == pytest.approx(1.31, abs=0.01)
    assert learned.factor("gpt-4o") == 1.0


def test_it_is_not_asked_for_each_call():
    learned = Calibration()
    assert learned.is_due("m", 0.0)
    learned.note("m", 10, 10, 0.0)
    assert not learned.is_due("m", EVERY_S / 2)
    assert learned.is_due("m", EVERY_S)


@given(st.lists(st.tuples(st.integers(-5, 10**9), st.integers(-5, 10**9)), max_size=50))
def test_it_stays_within_reason(notes):
    learned = Calibration()
    for number, (estimated, billed) in enumerate(notes):
        learned.note("m", estimated, billed, float(number))
        assert LEAST <= learned.factor("m") <= LARGEST


def test_memory_is_bounded():
    learned = Calibration()
    for number in range(3 * MOST):
        learned.note(f"model-{number}", 10, 20, 0.0)
    assert len(learned._factors) <= MOST
