"""What ``/readyz`` says of journal and keeper."""

import pytest

from farthing.ledger.journal import Health
from farthing.ledger.pulse import Pulse
from farthing.pipeline.health import BEHIND_BYTES, SILENT_S, journal_problem, keeper_problem

NOW = 1_795_000_000.0
LONG_AGO = NOW - 3600


def test_a_journal_that_takes_entries_is_no_problem():
    assert journal_problem(Health(ok=True)) is None


@pytest.mark.parametrize(("lost", "more"), [(0, ""), (2, ", 2 are lost")])
def test_a_journal_that_cannot_be_written_says_why_and_what_waits(lost, more):
    said = journal_problem(Health(ok=False, pending=3, lost=lost, error="disk full"))
    assert said == f"the journal cannot be written: disk full; 3 entries wait{more}"


@pytest.mark.parametrize(
    ("last", "since", "said"),
    [
        (None, NOW - SILENT_S, None),
        (None, NOW - 61, "has done nothing for 61 s; the journal keeps everything"),
        (Pulse(1, NOW - SILENT_S), LONG_AGO, None),
        (Pulse(1, NOW - 75), LONG_AGO, "has done nothing for 75 s; the journal keeps everything"),
        (Pulse(1, 0.0, 0, "disk full"), LONG_AGO, "has done nothing for 3600 s (disk full)"),
        (Pulse(1, NOW - 5, 0, "disk full"), LONG_AGO, None),
        (Pulse(1, LONG_AGO, 0, "disk full"), NOW - 1, None),
        (Pulse(1, NOW, BEHIND_BYTES), LONG_AGO, None),
        (Pulse(1, NOW, BEHIND_BYTES + 1), LONG_AGO, "is 1,074 MB of the journal behind"),
        (Pulse(1, LONG_AGO, BEHIND_BYTES + 1), NOW - 1, None),
    ],
)
def test_a_keeper(last, since, said):
    found = keeper_problem(last, since, NOW)
    assert found is None if said is None else said in found
