from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from farthing.ledger import listing, query, tally
from farthing.ledger.figures import By, Figures
from farthing.ledger.journal import Journal
from farthing.ledger.keeper import Keeper
from farthing.ledger.listing import Filter
from farthing.ledger.records import Settled, Shape
from farthing.ledger.rollup import answered_by, billed_as, is_error, saving
from farthing.ledger.store import Store, open_store
from farthing.types import TOKEN_CLASSES, Caller, Usage

from .conftest import NOW, call, clock, opened, settled

DAY = 86_400


def traffic() -> list[Settled]:
    rng = Random(7)
    return [one_of(rng, number) for number in range(400)]


def one_of(rng: Random, number: int) -> Settled:
    cost, hit = rng.randint(1_000, 10**7), rng.random() < 0.3
    model, reported = rng.choice([("gpt-4o", "gpt-4o-2024-08-06"), ("haiku", "haiku"), (None, None)])
    calls = [] if hit else [call(id=f"c{number}", model=model, model_reported=reported, cost_nano=cost)]
    if rng.random() < 0.2:
        calls.append(call(id=f"j{number}", purpose="judge", provider="groq", model_reported="judge", cost_nano=77))
    spent = sum(one.cost_nano or 0 for one in calls)
    return settled(
        f"fr_{number}",
        ts=NOW - round(rng.random() * 3 * DAY, 6),
        caller=Caller(rng.choice(["acme", "globex"]), rng.choice([None, "ada", "bob"]), rng.choice([None, "chat"])),
        model=model,
        served_model=reported,
        status=rng.choice([200, 200, 429]),
        cache="exact" if hit else "miss",
        calls=tuple(calls),
        cost_nano=spent,
        baseline_nano=cost,
        saved=(("recall", cost),) if hit else (),
        would_save=(("fit", 5),),
        latency_us=rng.randint(1_000, 10**7),
        shape=rng.choice([None, Shape("k1", (), "One"), Shape("k2", (), "Two")]),
    )


@pytest.fixture(scope="module")
def requests() -> list[Settled]:
    return traffic()


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, requests: list[Settled]) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("ledger")
    store = open_store(f"sqlite:///{folder / 'farthing.db'}", clock)
    journal = Journal(folder / "j", clock)
    for one in requests:
        journal.append(one)
    keeper = Keeper(store, folder / "j", clock)
    keeper.run_once()
    yield store
    keeper.close()
    journal.close()
    store.close()


SPANS = [
    (None, None),
    (NOW - 2 * DAY, None),
    (NOW - 1.5 * DAY - 1.25, NOW - 0.4 * DAY + 0.125),
    (NOW - 9_000.5, NOW - 8_000.25),
    (None, NOW - DAY),
    (NOW // DAY * DAY - DAY, NOW // DAY * DAY),
]
KEYS = {
    "feature": lambda one: one.caller.feature,
    "user": lambda one: one.caller.user,
    "tenant": lambda one: one.caller.tenant,
    "query_type": lambda one: one.shape.key if one.shape else None,
    "status": lambda one: str(one.status),
}


def chosen(requests: list[Settled], since: float | None, until: float | None, tenant: str | None) -> list[Settled]:
    return [
        one
        for one in requests
        if (since is None or one.ts >= since)
        and (until is None or one.ts < until)
        and tenant in {None, one.caller.tenant}
    ]


def expected(requests: list[Settled]) -> tuple[int, ...]:
    calls = [one for request in requests for one in request.calls]
    return (
        len(requests),
        len(calls),
        sum(one.cost_nano or 0 for one in calls),
        sum(saving(one) for one in requests),
        sum(map(is_error, requests)),
        sum(one.usage.input for one in calls if one.usage),
    )


def got(row: Figures) -> tuple[int, ...]:
    cost, saved = row.cost_nano_usd, row.saved_nano_usd
    assert row.baseline_nano_usd - cost == saved
    return (row.requests, row.provider_calls, cost, saved, row.errors, row.tokens["input"])


@pytest.mark.parametrize(("since", "until"), SPANS)
@pytest.mark.parametrize("tenant", [None, "acme"])
def test_totals_are_exact_for_any_span(
    books: Store, requests: list[Settled], since: float | None, until: float | None, tenant: str | None
) -> None:
    its = chosen(requests, since, until, tenant)
    assert got(query.report(books, None, since, until, tenant).total) == expected(its)


@pytest.mark.parametrize(("since", "until"), SPANS)
@pytest.mark.parametrize("by", KEYS)
def test_rows_are_exact_for_any_span(
    books: Store, requests: list[Settled], by: By, since: float | None, until: float | None
) -> None:
    report = query.report(books, by, since, until)
    its = chosen(requests, since, until, None)
    for row in report.rows:
        key = KEYS[by]
        assert got(row) == expected([one for one in its if key(one) == row.key]), row.key
    assert {row.key for row in report.rows} == set(map(KEYS[by], its))
    assert [row.cost_nano_usd for row in report.rows] == sorted(
        (row.cost_nano_usd for row in report.rows), reverse=True
    )


@pytest.mark.parametrize("by", sorted(set(get_args(By)) - {"lever"}))
def test_rows_sum_to_the_total(books: Store, by: By) -> None:
    report = query.report(books, by, NOW - 2 * DAY - 7)
    assert tuple(map(sum, zip(*map(got, report.rows), strict=True))) == got(report.total)


def test_by_model_and_provider_as_on_the_invoice(books: Store, requests: list[Settled]) -> None:
    calls = [one for request in requests for one in request.calls]
    for place, by in enumerate(("model", "provider")):
        for row in query.report(books, by).rows:
            cost = sum(one.cost_nano or 0 for one in calls if (billed_as(one)[place] or None) == row.key)
            number = sum((answered_by(one)[place] or None) == row.key for one in requests)
            assert (row.cost_nano_usd, row.requests) == (cost, number), row.key


def test_by_lever(books: Store, requests: list[Settled]) -> None:
    rows = {row.key: row for row in query.report(books, "lever").rows}
    total = query.report(books).total
    assert sum(row.saved_nano_usd for row in rows.values()) == total.saved_nano_usd
    assert rows["fit"].would_save_nano_usd == 5 * len(requests) == total.would_save_nano_usd
    assert rows["recall"].saved_nano_usd == sum(amount for one in requests for _, amount in one.saved)


wanted = st.dictionaries(st.sampled_from(sorted(get_args(By))), st.none() | st.integers(0, 4), max_size=5)
bound = st.none() | st.sampled_from([NOW - 2 * DAY, NOW // DAY * DAY]) | st.floats(NOW - 3 * DAY, NOW)


@given(wanted, bound, bound, st.sampled_from([None, "acme", "nobody"]), st.sampled_from([0, 100, 5_000]))
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_reports_at_once_are_those_one_by_one(
    books: Store,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[By, int | None],
    since: float | None,
    until: float | None,
    tenant: str | None,
    most: int,
) -> None:
    monkeypatch.setattr(tally, "MOST_ROWS", most)
    total, found = query.reports(books, wanted, since, until, tenant)
    assert total == query.report(books, None, since, until, tenant).total
    assert found.keys() == wanted.keys()
    for by, limit in wanted.items():
        whole = query.report(books, by, since, until, tenant)
        assert whole.total == total
        assert found[by][:limit] == whole.rows[:limit]
        assert query.report(books, by, since, until, tenant, limit).rows == whole.rows[:limit]
        assert [(row.key, got(row)) for row in found[by]] == [(row.key, got(row)) for row in whole.rows]


def test_days_and_hours_are_named_in_order(books: Store) -> None:
    days = [str(row.key) for row in query.report(books, "day").rows]
    assert days == sorted(days)
    assert days[-1] == "2026-11-25"
    hours = [str(row.key) for row in query.report(books, "hour").rows]
    assert hours == sorted(hours)
    assert all(len(hour) == len("2026-11-25T14:00Z") for hour in hours)


def test_a_limit_keeps_the_dearest_rows_and_the_whole_total(books: Store) -> None:
    whole, short = query.report(books, "user"), query.report(books, "user", limit=1)
    assert short.rows == whole.rows[:1]
    assert short.total == whole.total


@pytest.mark.parametrize(("since", "until"), SPANS)
def test_percentiles_are_those_of_the_span(
    books: Store, requests: list[Settled], since: float | None, until: float | None
) -> None:
    its = chosen(requests, since, until, None)
    latencies = sorted(one.latency_us or 0 for one in its)
    total = query.report(books, None, since, until).total
    for found, share in ((total.latency_p50_us, 0.5), (total.latency_p95_us, 0.95)):
        rank = next(i for i in range(1, len(latencies) + 1) if i >= share * len(latencies))
        assert found == pytest.approx(latencies[rank - 1], rel=0.01)


def test_percentiles_with_too_many_rows_at_the_edges_are_of_whole_days(
    books: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = NOW // DAY * DAY - DAY + DAY / 2 + 0.5
    monkeypatch.setattr(tally, "MOST_ROWS", 0)
    total = query.report(books, None, noon, noon + 60).total
    day = query.report(books, None, noon // DAY * DAY, noon // DAY * DAY + DAY).total
    assert total.requests < day.requests
    assert total.latency_p50_us == day.latency_p50_us


def test_the_contract_of_report_json(books: Store) -> None:
    found = msgspec.json.decode(msgspec.json.encode(query.report(books, "user")))
    fields = {
        "requests",
        "provider_calls",
        "cost_nano_usd",
        "baseline_nano_usd",
        "saved_nano_usd",
        "unpriced_calls",
        "unsettled_calls",
        "tokens",
    }
    assert fields <= found["total"].keys()
    assert "key" not in found["total"]
    assert all(row.keys() == {"key", *found["total"]} for row in found["rows"])
    assert any(row["key"] is None for row in found["rows"])
    assert set(TOKEN_CLASSES) <= found["total"]["tokens"].keys()


def test_an_empty_ledger_has_an_empty_report(store: Store) -> None:
    report = query.report(store, "feature")
    assert (report.total.requests, report.rows) == (0, [])
    assert report.total.cost_p50_nano_usd is None
    assert listing.requests(store, 5) == []
    assert query.tenants(store) == []


def test_timeseries_sum_to_the_report(books: Store) -> None:
    for bucket in ("hour", "day"):
        points = query.timeseries(books, "feature", bucket, NOW - 2 * DAY - 5.5)
        report = query.report(books, "feature", NOW - 2 * DAY - 5.5)
        for row in report.rows:
            assert sum(point.cost_nano_usd for point in points if point.key == row.key) == row.cost_nano_usd
            assert sum(point.requests for point in points if point.key == row.key) == row.requests
        assert [point.ts for point in points] == sorted(point.ts for point in points)
    assert {point.ts % DAY for point in query.timeseries(books, "user", "hour")} == {0}


def test_tenants(books: Store) -> None:
    assert query.tenants(books) == ["acme", "globex"]


def test_requests_are_listed_newest_first(books: Store, requests: list[Settled]) -> None:
    newest = sorted(requests, key=lambda one: one.ts, reverse=True)
    assert [one.request.id for one in listing.requests(books, 20)] == [one.id for one in newest[:20]]


@pytest.mark.parametrize(
    ("where", "matches"),
    [
        (Filter(tenant="acme"), lambda one: one.caller.tenant == "acme"),
        (Filter(user="ada", feature="chat"), lambda one: (one.caller.user, one.caller.feature) == ("ada", "chat")),
        (Filter(model="gpt-4o"), lambda one: one.model == "gpt-4o"),
        (Filter(model="gpt-4o-2024-08-06"), lambda one: one.served_model == "gpt-4o-2024-08-06"),
        (Filter(status=429), lambda one: one.status == 429),
        (Filter(cache="exact"), lambda one: one.cache == "exact"),
        (Filter(failed=False), lambda one: one.status == 200),
        (Filter(failed=True), lambda one: one.status == 429),
        (Filter(source="usage"), lambda one: bool(one.calls)),
        (Filter(source="unpriced"), lambda one: False),
        (Filter(query_type="k1"), lambda one: one.shape is not None and one.shape.key == "k1"),
        (Filter(since=NOW - DAY, until=NOW - DAY / 2), lambda one: NOW - DAY <= one.ts < NOW - DAY / 2),
    ],
)
def test_requests_by(books: Store, requests: list[Settled], where: Filter, matches) -> None:
    assert {one.request.id for one in listing.requests(books, 999, where)} == {
        one.id for one in filter(matches, requests)
    }


def test_sql_in_keys_and_filters_is_only_text(store: Store, keeper: Keeper, folder: Path) -> None:
    evil = "x'; DROP TABLE requests; --"
    journal = Journal(folder, clock)
    journal.append(settled(evil, caller=Caller(evil, evil, evil), model=evil, calls=(call(provider=evil),)))
    keeper.run_once()
    assert [row.key for row in query.report(store, "user", tenant=evil).rows] == [evil]
    assert [one.request.id for one in listing.requests(store, 5, Filter(user=evil, model=evil))] == [evil]
    assert listing.request(store, evil) is not None
    assert listing.request(store, "' OR 1=1 --") is None
    journal.close()


def test_unpriced_is_never_zero(store: Store, keeper: Keeper, folder: Path) -> None:
    unpriced = call(cost_nano=None, cost_source="unpriced", price_version=None)
    journal = Journal(folder, clock)
    journal.append(settled(calls=(call(), unpriced), cost_nano=None, baseline_nano=None))
    keeper.run_once()
    row = query.report(store).total
    assert (row.cost_nano_usd, row.unpriced_calls, row.saved_nano_usd) == (500_000, 1, 0)
    [found] = listing.requests(store, 5, Filter(source="unpriced"))
    assert (found.request.cost_nano, found.request.calls[1].cost_nano) == (None, None)
    journal.close()


def test_open_requests_can_be_filtered(store: Store, keeper: Keeper, folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(opened())
    keeper.run_once()
    assert len(listing.requests(store, 5, Filter(user="ada", source="unsettled", since=NOW))) == 1
    for where in (Filter(user="bob"), Filter(tenant="globex"), Filter(status=200), Filter(until=NOW)):
        assert listing.requests(store, 5, where) == []
    assert query.report(store, "user", tenant="globex").total.requests == 0
    journal.close()


def test_tokens_of_every_class_are_shown_where_they_occur(store: Store, keeper: Keeper, folder: Path) -> None:
    journal = Journal(folder, clock)
    journal.append(settled(calls=(call(usage=Usage(output=9, reasoning=4, input_audio=3)),)))
    keeper.run_once()
    total = query.report(store).total
    assert total.tokens == {**dict.fromkeys(TOKEN_CLASSES, 0), "output": 9, "reasoning": 4, "input_audio": 3}
    assert total.usage == Usage(output=9, reasoning=4, input_audio=3)
    journal.close()
