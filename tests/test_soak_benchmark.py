"""The pure parts of ``benchmarks/soak.py``: trends, books that differ, what fails a run."""

import json
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from soaks.clients import Sent, Window
from soaks.judge import Run, checks, latencies, theil_sen
from soaks.traffic import PHASES, Traffic, control
from soaks.watch import Sample, ends_of, mapped_kb
from stand.books import Call, Line, compare
from stand.lines import lines
from stand.verdict import percentile

BOOKS = compare(2, [Call("a", 5, "usage", None)], [Line("a", 5)], set())


def sample(at, rss=100.0, **more):
    usual = {"gateway_heap": 80.0, "keeper_rss": 40.0, "keeper_heap": 30.0, "fds": 20, "clients": 0, "upstream": 0}
    return Sample(at, rss, **{**usual, "tasks": 2, "backlog": 0, "ledger": 50.0, **more})


def soaked(**more):
    dice = random.Random(1)
    samples = [sample(at * 5.0, 100 + dice.gauss(0, 1), upstream=9) for at in range(360)]
    windows = [Window(at * 60.0, [1 + dice.random() for _ in range(50)], [1.0] * 50, [1.0] * 50) for at in range(30)]
    run = Run(samples, sample(0.0), sample(1800.0), {}, Sent(windows, requests=2), BOOKS, 2.0)
    return run._replace(**more)


def failed(run):
    return [check.what for check in checks(run) if not check.holds]


# ------------------------------------------------------------ trends


def test_a_line_has_its_slope_and_no_doubt():
    trend = theil_sen([(x, 3 + 0.5 * x) for x in range(50)])
    assert trend[:4] == (0.5, 0.5, 0.5, 49)
    assert trend.surely == pytest.approx(24.5)


def test_wild_points_do_not_move_it():
    points = [(x, 3 + 0.5 * x + (1000 if x % 5 == 0 else 0)) for x in range(100)]
    assert theil_sen(points).slope == pytest.approx(0.5, abs=0.05)


def test_the_interval_holds_the_truth_19_times_in_20():
    dice, held = random.Random(3), 0
    for _ in range(200):
        trend = theil_sen([(x, dice.gauss(0, 1)) for x in range(30)])
        held += trend.low <= 0 <= trend.high
    assert 180 <= held <= 199


def test_noise_is_not_growth():
    dice = random.Random(7)
    assert theil_sen([(x, dice.gauss(100, 5)) for x in range(100)]).surely < 2


@pytest.mark.parametrize("points", [[], [(0.0, 7.0)], [(1.0, 5.0), (1.0, 9.0)]])
def test_too_few_points_say_nothing(points):
    assert theil_sen(points).surely == 0


# ------------------------------------------------------------ books


def test_settled_calls_are_the_invoice():
    calls = [Call("a", 5, "usage", None), Call("b", 7, "usage", None), Call(None, 0, "free", "upstream_closed")]
    books = compare(3, calls, [Line("a", 5), Line("b", 7), Line("past", 9)], {"past"})
    assert (books.exact, books.exact_nano, books.unlike, books.orphans, books.invoice_nano) == (2, 12, [], 0, 12)


@pytest.mark.parametrize(
    ("call", "billed"),
    [
        (Call("a", 5, "usage", None), [Line("a", 6)]),
        (Call("a", 5, "usage", None), []),
        (Call("a", 0, "free", "overloaded_error"), [Line("a", 6)]),
    ],
)
def test_a_call_that_is_billed_otherwise_is_found(call, billed):
    assert len(compare(1, [call], billed, set()).unlike) == 1


def test_what_is_not_exact_is_counted_and_explained():
    calls = [Call("a", 4, "estimated", "client_gone"), Call(None, None, "unsettled", "client_gone")]
    books = compare(2, calls, [Line("a", 5), Line("b", 7)], set())
    assert (books.inexact_ledger_nano, books.inexact_invoice_nano) == (4, 5)
    assert (books.nameless, books.orphans, books.orphans_nano) == (1, 1, 7)
    assert not books.unexplained
    assert failed(soaked(books=books)) == ["who is said to have hung up has"]
    assert failed(soaked(books=books, sent=Sent([], Counter({"left early": 2}), requests=2))) == []


def test_what_cannot_be_explained_fails_the_run():
    books = compare(2, [Call("a", None, "unpriced", "who knows")], [Line("a", 5)], set())
    assert failed(soaked(books=books)) == ["the rest is explained"]
    lost = compare(2, [], [Line("a", 5)], set())
    assert failed(soaked(books=lost)) == ["billed but unknown: only calls that ended before their id came"]


# ------------------------------------------------------------ the verdict


def test_a_run_in_which_all_is_well():
    assert failed(soaked()) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"idle_after": sample(1800.0, fds=23)}, "no file or socket"),
        ({"idle_after": sample(1800.0, clients=1)}, "client's connection"),
        ({"idle_after": sample(1800.0, upstream=10)}, "connections to the provider"),
        ({"idle_after": sample(1800.0, tasks=3)}, "no task is left"),
        ({"idle_after": sample(1800.0, tasks=None)}, "no task is left"),
        ({"idle_after": sample(1800.0, backlog=1)}, "keeps up"),
        ({"kept": {"Exchange": 1}}, "nothing of a request"),
        ({"sent": Sent([], requests=3)}, "requests sent = rows"),
        ({"sent": Sent([], requests=2, lost=["/v1/messages broke"])}, "got what it should"),
    ],
)
def test_what_fails_a_run(change, what):
    assert len(found := failed(soaked(**change))) == 1
    assert what in found[0]


def test_a_leak_of_two_hundred_bytes_a_request_fails_a_run():
    """At 40 requests a second: 28 MB an hour."""
    dice = random.Random(2)
    samples = [sample(at * 5.0, 100 + dice.gauss(0, 1) + at * 5 * 40 * 200e-6) for at in range(360)]
    assert failed(soaked(samples=samples)) == ["gateway, rss: no growth"]


def test_the_keeper_is_judged_once_the_pages_that_it_may_hold_are_full():
    samples = [sample(at * 5.0, keeper_rss=min(60.0, 20 + at / 5), ledger=at / 5) for at in range(360)]
    assert failed(soaked(samples=samples)) == []
    leaking = [sample(at * 5.0, keeper_rss=20 + at / 5, ledger=at / 5) for at in range(360)]
    assert failed(soaked(samples=leaking)) == ["keeper, rss: no growth"]
    young = [sample(at * 5.0, keeper_rss=20 + at / 5, ledger=1.0) for at in range(360)]
    assert "not judged" in next(check.found for check in checks(soaked(samples=young)) if "keeper" in check.what)


def test_latency_that_creeps_up_fails_a_run():
    windows = [Window(at * 60.0, [1 + at * 0.1] * 50, [1.0] * 50, [1.0] * 50) for at in range(30)]
    assert "overhead p50 stays flat" in failed(soaked(sent=Sent(windows, requests=2)))


def test_percentiles_of_windows_with_enough_in_them():
    assert [percentile([3, 1, 2], 0.5), percentile(range(100), 0.99), percentile([5], 0.99)] == [2, 99, 5]
    windows = [Window(0.0, [1.0] * 10), Window(60.0, [2.0] * 11)]
    assert latencies(windows, "overhead p99") == [(60.0, 2.0)]


# ------------------------------------------------------------ traffic, sockets, chart


def test_the_traffic_follows_from_the_seed_and_has_everything():
    first, again, other = ([traffic.next() for _ in range(2000)] for traffic in map(Traffic, (1, 1, 2)))
    assert first == again != other
    assert {one.wish for one in first} == {"whole", "leave_early", "leave_in_stream"}
    assert {one.path for one in first} == {
        "/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"
    }  # fmt: skip
    assert 20 < sum(one.bad for one in first) < 70
    assert len(first) - len({one.body for one in first}) > 100


def test_no_fault_outlives_its_phase_and_none_strikes_the_probes():
    told = [control(phase)["faults"] for phase in range(len(PHASES))]
    assert len({frozenset(one["gpt-4o"]) for one in told}) == 1
    assert all(set(one["gpt-4.1-mini"]) == {"ttft_ms", "ms_per_token"} for one in told)
    json.dumps(told)


def test_sockets_of_a_process_in_the_kernel_s_table():
    table = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0
   2: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 99 1 0
   3: 0100007F:C002 0100007F:2454 08 00000000:00000000 00:00000000 00000000     0        0 13 1 0"""
    assert ends_of({"11": "3", "12": "4", "13": "5"}, table) == [(8080, 49153), (49154, 9300)]


def test_the_chart_is_svg_and_quotes_what_it_is_given():
    from xml.etree import ElementTree as ET

    text = lines([("a < b", {"one & two": [(0.0, 0.0), (1.0, 5.0)], "none": []}), ("empty", {})], "note")
    assert len(list(ET.fromstring(text).iter("{http://www.w3.org/2000/svg}polyline"))) == 2


def test_the_cache_s_mapped_file_is_told_apart():
    smaps = (
        "7f00-7f01 r--s 0 fe:00 1   /var/x/soak.db.cache/data.mdb\nSize: 9 kB\nRss:  26228 kB\nPss: 1 kB\n"
        "7f02-7f03 r-xp 0 fe:00 2   /usr/lib/libc.so\nRss: 100 kB\n7f04-7f05 rw-p 0 00:00 0\nRss: 50 kB\n"
    )
    assert mapped_kb(smaps, "data.mdb") == 26_228
    assert mapped_kb(smaps, "other") == 0


def test_a_request_that_nobody_read_is_no_row():
    missing = soaked(sent=Sent(soaked().sent.windows, requests=4, outcomes=Counter({"left early": 1_000})))
    assert "requests sent = rows" not in failed(missing)
    assert "requests sent = rows" in failed(missing._replace(sent=Sent(missing.sent.windows, requests=4)))
    assert "requests sent = rows" in failed(missing._replace(sent=Sent(missing.sent.windows, requests=1)))
