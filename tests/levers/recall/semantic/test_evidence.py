import msgspec
from hypothesis import given
from hypothesis import strategies as st

from farthing.levers.recall.semantic.evidence import (
    LEVELS,
    MEMORY,
    Drift,
    Evidence,
    complained,
    judged,
    level,
    limit,
    served_from,
)

PLACES = st.integers(0, len(LEVELS) - 1)
COUNTS = st.lists(st.integers(0, 300), min_size=len(LEVELS), max_size=len(LEVELS)).map(tuple)
KNOWN = st.builds(Evidence, COUNTS, st.lists(st.integers(0, 3), min_size=len(LEVELS), max_size=len(LEVELS)).map(tuple))


def after(evidence, times, *, right, at=0, served=False):
    for _ in range(times):
        evidence = judged(evidence, at, right=right, served=served)
    return evidence


def test_it_begins_in_shadow_and_serves_when_enough_was_right():
    assert served_from(Evidence(), 0.01, 0.05) is None
    assert served_from(after(Evidence(), 200, right=True), 0.01, 0.05) is None
    assert served_from(after(Evidence(), 1000, right=True), 0.01, 0.05) == len(LEVELS) - 1


def test_what_is_wrong_on_a_looser_level_does_not_close_the_stricter_one():
    evidence = after(after(Evidence(), 1000, right=True), 200, right=False, at=3)
    assert served_from(evidence, 0.01, 0.05) == 2


@given(KNOWN)
def test_the_loosest_level_is_the_last_whose_limit_is_within_the_promise(evidence):
    found = served_from(evidence, 0.02, 0.05)
    within = [at for at in range(len(LEVELS)) if limit(evidence, at, 0.05) <= 0.02]
    assert found == (within[-1] if within else None)


@given(KNOWN, PLACES)
def test_a_wrong_answer_never_opens_a_level(evidence, at):
    before, now = served_from(evidence, 0.02, 0.05), served_from(complained(evidence, at), 0.02, 0.05)
    assert now is None or (before is not None and now <= before)


def test_other_partitions_make_the_limit_tighter_or_wider_but_alone_open_nothing():
    good, own = after(Evidence(), 1000, right=True), after(Evidence(), 600, right=True)
    assert limit(own, 0, 0.05, good) < limit(own, 0, 0.05)
    assert served_from(Evidence(), 0.01, 0.05, good) is None


def test_failing_audits_stop_serving_and_drift_forgets_the_past():
    evidence = after(Evidence(), 2000, right=True, served=True)
    assert served_from(evidence, 0.01, 0.05) is not None
    backed_off = after(evidence, 3, right=False, served=True)
    assert backed_off.alarms == 0
    assert limit(backed_off, 0, 0.05) > limit(evidence, 0, 0.05)
    drifted = after(evidence, 4, right=False, served=True)
    assert (drifted.alarms, sum(drifted.right), served_from(drifted, 0.01, 0.05)) == (1, 0, None)


def test_a_steady_share_of_wrong_raises_no_alarm():
    drift = Drift()
    for number in range(5000):
        drift = drift.saw(number % 200 == 0)
    assert not drift.alarmed


def test_memory_is_bounded_and_survives_writing():
    evidence = after(Evidence(), MEMORY + 500, right=True)
    assert sum(evidence.right) <= MEMORY
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(evidence), type=Evidence) == evidence


def test_levels():
    assert (level(1.0), level(LEVELS[0]), level(LEVELS[-1]), level(0.1)) == (0, 0, len(LEVELS) - 1, None)
