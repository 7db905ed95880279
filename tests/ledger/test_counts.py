"""What the metrics read of the ledger is what the reports say."""

from tests.ledger.conftest import NOW, call, settled

from farthing.ledger.counts import behind, counts
from farthing.ledger.query import report
from farthing.types import Caller

DAY = 86_400
TODAY = int(NOW // DAY * DAY)


def fill(journal_of, keeper):
    journal = journal_of()
    for number in range(6):
        tenant = "acme" if number % 2 else "globex"
        at = NOW - number * DAY
        journal.append(settled(f"fr_{number}", ts=at, caller=Caller(tenant, None, f"f{number % 3}"), status=200))
    lost = call(cost_nano=None, cost_source="unsettled", usage=None)
    journal.append(settled("fr_u", calls=(lost,), cost_nano=None, baseline_nano=None, status=None))
    keeper.run_once()
    return journal


def test_the_sums_are_those_of_the_reports(store, journal_of, keeper):
    fill(journal_of, keeper)
    found = counts(store, ["total", "all", "model", "feature"], None)
    for dim, by in (("total", "tenant"), ("model", "model"), ("feature", "feature")):
        for row in report(store, by).rows:
            its = [day[dim].get(row.key or "", {}) for day in found.days.values()]
            assert sum(named.get("requests", 0) for named in its) == row.requests
            assert sum(named.get("cost", 0) for named in its) == row.cost_nano_usd
    assert sum(day["all"][""]["requests"] for day in found.days.values()) == 7
    assert (found.unpriced, found.unsettled) == (0, 1)
    latencies = [value for values in found.values.values() for value in values["latency"].items()]
    assert sum(number for _, number in latencies) == 7
    assert all(abs(value - 810_000) <= 8_100 for value, _ in latencies)


def test_only_days_from_one_on_are_read(store, journal_of, keeper):
    fill(journal_of, keeper)
    found = counts(store, ["total"], TODAY - DAY)
    assert sorted(found.days) == sorted(found.values) == [TODAY - DAY, TODAY]
    assert found.unsettled == 1


def test_what_the_keeper_has_not_read_yet_is_told(store, journal_of, keeper, folder):
    journal = fill(journal_of, keeper)
    assert behind(store, folder) == 0
    journal.append(settled("fr_9"))
    assert behind(store, folder) > 100
    keeper.run_once()
    assert behind(store, folder) == 0


def test_an_empty_ledger_has_nothing(store, tmp_path):
    found = counts(store, ["total"], None)
    assert (found.days, found.values, found.unpriced, found.unsettled) == ({}, {}, 0, 0)
    assert behind(store, tmp_path / "none") == 0
