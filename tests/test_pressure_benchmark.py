"""The pure parts of ``benchmarks/pressure.py``: when requests come, what is counted, what fails a run."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from pressures.judge import back, checks, curves, figures, refused, touched
from pressures.load import Sent
from pressures.plan import PLANS, WIRES, Times, asks
from pressures.running import Attempt, Seen
from stand.books import Call, Line

TIMES = Times.of(3.0)
LIMITED, TIER, QUEUE, KILLED, SILENT, ERRORS = PLANS


def sent(at, wire="chat", **more):
    usual = {"stream": False, "status": 200, "waited_s": 0.3, "other": False, "broken": False, "problem": ""}
    return Sent(at, wire, **{**usual, **more})


def attempt(at, name, *, asked=True, status=200, wire="chat", ended=None):
    nano, source = (5, "usage") if status == 200 else (0, "free")
    error = None if status == 200 else "rate_limit_exceeded"
    return Attempt(at, at + 0.3 if ended is None else ended, wire, asked, status, Call(name, nano, source, error))


def seen(plan=LIMITED, replies=None, attempts=None, **more):
    """Ten requests a second for three minutes, each other one to the other wire; half to each provider if limited."""
    limited = plan.trouble == "limited"
    if replies is None:
        replies = [
            sent(n / 10, WIRES[n % 2], other=bool(n // 2 % 2) if limited else 30 <= n / 10 < 91) for n in range(1800)
        ]
    if attempts is None:
        attempts = [attempt(one.at, str(n), asked=not one.other, wire=one.wire) for n, one in enumerate(replies)]
    lines = [Line(one.call.request_id, 5) for one in attempts if one.status == 200]
    down, up = (0.0, 0.0) if limited else (30.0, 90.0)
    usual = {"sent": replies, "attempts": attempts, "requests": len(replies), "billed": lines, "copied": down}
    return Seen(plan, TIMES, 150 if limited else 0, 0.0, **{"down": down, "up": up, **usual, **more})


def failed(run):
    return [check.what for check in checks(run) if not check.holds]


# ------------------------------------------------------------ when requests come


def test_the_load_follows_from_the_seed_and_is_as_large_as_it_is_said_to_be():
    for plan in (LIMITED, QUEUE):
        first, again, other = (list(asks(plan, 50, 100, seed)) for seed in (1, 1, 2))
        assert first == again != other
        assert len(first) == pytest.approx(5000, rel=0.1)
        assert all(one.at <= two.at for one, two in pairwise(first))
        assert {(one.wire, one.stream) for one in first} == {(wire, how) for wire in WIRES for how in (True, False)}


def test_bursts_leave_pauses_and_fit_on_average():
    times = [one.at % 10 for one in asks(QUEUE, 50, 100, 1)]
    assert max(times) < 4
    assert QUEUE.rpm(50) == pytest.approx(50 / 2 * 60 / 0.9, abs=1)
    assert LIMITED.rpm(50) == 750


def test_settings_are_settings_of_farthing(tmp_path):
    from farthing.policy import load_policy

    for plan in PLANS:
        path = tmp_path / f"{plan.name}.toml"
        path.write_text(plan.settings("http://127.0.0.1:1", "http://127.0.0.1:2"))
        policy = load_policy(path, {})
        assert policy.providers["openai"].base_url == "http://127.0.0.1:1/v1"
        assert policy.mode == "save"


# ------------------------------------------------------------ what is counted


@pytest.mark.parametrize("plan", PLANS)
def test_a_run_in_which_all_is_well(plan):
    assert failed(seen(plan)) == []


def test_refusals_of_the_limited_provider_before_and_after_the_first_minute():
    attempts = [attempt(at, str(at), status=429 if at in {1.0, 100.0} else 200) for at in map(float, range(180))]
    run = seen(attempts=[*attempts, attempt(5.0, "other", asked=False, status=429)])
    assert refused(run) == ((1, 60), (1, 120))
    assert figures(run)["refused_later"] == (1, 120)


def test_calls_to_a_dead_provider_and_requests_meanwhile():
    attempts = [attempt(at, str(at), status=None) for at in (29.9, 30.0, 89.9, 90.0)]
    assert touched(seen(KILLED, attempts=attempts)) == (2, 600)


def test_the_load_is_back_when_most_of_a_second_is_answered_where_it_was_asked():
    run = seen(KILLED)
    assert back(run) == (
        pytest.approx(1.4),
        pytest.approx(1.4),
    )  # of the later wire: asked at 91.1, answered 0.3 s later
    slow = [one._replace(other=30 <= one.at < 94 and one.at != 91.0) for one in run.sent]
    assert back(seen(KILLED, slow))[1] == pytest.approx(4.0, abs=0.5)
    assert back(seen(KILLED, [one._replace(other=one.at >= 30) for one in run.sent])) == (float("inf"), float("inf"))


def test_requests_by_who_answered_over_time():
    lines = curves(seen(KILLED), 1.0)
    assert lines["sent"][0] == (0.0, 10.0)
    assert lines["by another"][60] == (1.0, 10.0)
    assert lines["answered by the asked"][60] == (1.0, 0.0)
    assert len({len(points) for points in lines.values()}) == 1


def test_a_run_on_a_machine_that_had_no_time_for_it_was_none():
    from pressure import kept_up
    from stand.process import Unmet

    assert kept_up([seen(late_s=0.9)])
    with pytest.raises(Unmet, match=r"fallback 1\.1 s"):
        kept_up([seen(late_s=1.1)])


# ------------------------------------------------------------ the verdict


def changed(run, *places, **how):
    return [one._replace(**how) if n in places else one for n, one in enumerate(run.sent)]


@pytest.mark.parametrize(
    ("plan", "places", "how", "what"),
    [
        (LIMITED, (1, 2), {"status": 429}, "99.9%"),
        (QUEUE, (1, 2), {"status": None}, "99.9%"),
        (LIMITED, (7,), {"waited_s": 21.5}, "deadline"),
        (KILLED, (400,), {"status": 503}, "elsewhere fails"),
        (KILLED, (400,), {"broken": True, "stream": True}, "broken off"),
        (KILLED, (250,), {"broken": True}, "broken off"),
        (ERRORS, (250,), {"broken": True, "stream": True}, "broken off"),
    ],
)
def test_what_clients_must_not_meet(plan, places, how, what):
    run = seen(plan)
    assert any(what in one for one in failed(seen(plan, changed(run, *places, **how), run.attempts)))


def test_streams_that_were_being_read_when_the_provider_was_killed_cannot_be_saved():
    run = seen(KILLED)
    assert failed(seen(KILLED, changed(run, 299, broken=True, stream=True), run.attempts)) == []


def test_a_wall_that_is_run_into_fails_a_run():
    run = seen()
    attempts = [one._replace(status=429) if n % 90 == 0 else one for n, one in enumerate(run.attempts)]
    assert any("429s" in one for one in failed(seen(attempts=attempts, billed=run.billed)))


def test_a_limit_that_is_not_used_fails_a_run():
    assert failed(seen(replies=[sent(n / 10, WIRES[n % 2], other=n % 7 > 1) for n in range(1800)])) == [
        "at least 90% of its limit is used"
    ]


def test_books_that_differ_fail_a_run():
    run = seen()
    assert any("nano-dollar" in one for one in failed(seen(billed=run.billed[1:])))
    assert any("nano-dollar" in one for one in failed(seen(billed=[*run.billed, Line("more", 1)])))
    assert any("rows" in one for one in failed(seen(requests=1799)))


def test_the_invoice_of_a_killed_provider_lacks_what_it_did_after_the_copy():
    run = seen(KILLED)
    late = run.attempts[298]
    billed = [line for line in run.billed if line.request_id != late.call.request_id]
    assert failed(seen(KILLED, billed=billed, copied=29.9)) == []
    assert failed(seen(KILLED, billed=run.billed[1:], copied=29.9)) == ["ledger = invoices, every settled call"]
