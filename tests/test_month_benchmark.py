"""The pure parts of ``benchmarks/month.py``: books that differ, shares, what fails a run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from months.books import (
    Bill,
    Call,
    Invoice,
    Ledger,
    Line,
    Request,
    Sums,
    book_differences,
    call_differences,
    usd,
    wilson,
)
from months.checks import checks, served_of
from months.report import report, tables
from months.running import Figures, Run, Score, Totals

MODEL = "gpt-4o-2024-08-06"


def invoice(nano=300, output=7):
    bill = Bill(2, input=100, cached=20, cache_write_5m=0, cache_write_1h=0, output=output, nano_usd=nano)
    return Invoice(nano, 2, {MODEL: bill}, [Line("a", 100), Line("b", nano - 100)])


def sums(key=None, *, cost=300, saved=0, requests=2, unsettled=0):
    tokens = {"input": 100, "cache_read": 20, "cache_write_5m": 0, "cache_write_1h": 0, "output": 7}
    return Sums(requests, 2, cost, cost + saved, saved, 0, unsettled, requests - 2, 0, tokens, key)


def ledger(**figures):
    return Ledger(sums(**figures), [sums(MODEL, **figures)])


def requests(*calls):
    return [Request([Call(id_, nano)]) for id_, nano in calls]


def score(*, served=0, wrong=0, leaks=0, quality=1.0, number=2, reasons=None):
    one = Figures(number, 0, 0, quality, served, wrong, leaks, 1.0)
    return Score(Totals(one), {"faq": one}, reasons or {})


BOTH = requests(("a", 100), ("b", 200))
DIRECT = Run(score(), [], invoice())


def failed(run, mode="observe", direct=DIRECT):
    return [check.what for check in checks({"direct": direct, mode: run}) if not check.holds]


def test_books_that_agree():
    assert book_differences(invoice(), ledger()) == []
    assert call_differences(invoice(), BOTH) == []
    assert failed(Run(score(), [], invoice(), ledger(), BOTH)) == []


def test_every_difference_is_named():
    found = [(one.model, one.what, one.by) for one in book_differences(invoice(nano=301, output=8), ledger())]
    assert found == [("all models", "nano_usd", -1), (MODEL, "nano_usd", -1), (MODEL, "output", -1)]
    assert "invoice 301, ledger 300, -1" in str(book_differences(invoice(nano=301), ledger())[0])


def test_a_model_that_only_one_side_knows():
    other = Ledger(sums(), [sums("gpt-4o")])
    found = {(one.model, one.what): one.by for one in book_differences(invoice(), other)}
    assert found["gpt-4o", "nano_usd"] == 300
    assert found[MODEL, "nano_usd"] == -300


def test_calls_that_cancel_out_differ_all_the_same():
    swapped = requests(("a", 200), ("b", 100))
    assert [one.by for one in call_differences(invoice(), swapped)] == [100, -100]
    missing = requests(("a", 100), (None, None))
    assert [(one.what, one.by) for one in call_differences(invoice(), missing)] == [("b", -200)]


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (Run(score(), ["!! 1 of 2 requests failed"], invoice(), ledger(), BOTH), "complaint"),
        (Run(score(quality=0.5), [], invoice(), ledger(), BOTH), "as good as direct"),
        (Run(score(served=1), [], invoice(), ledger(), BOTH), "nothing is served"),
        (Run(score(), [], invoice(), ledger(requests=1), BOTH), "every request"),
        (Run(score(), [], invoice(), ledger(unsettled=1), BOTH), "settled"),
        (Run(score(), [], invoice(), ledger(), BOTH[:1]), "call by call"),
        (Run(score(), [], invoice(nano=301), ledger(), BOTH), "within 0.05%"),
    ],
)
def test_what_fails_a_run_in_observe_mode(run, what):
    assert any(what in one for one in failed(run))


def test_a_saving_must_be_missing_from_the_invoice():
    dear = Run(score(number=3), [], invoice(nano=350))
    saved = Run(score(served=1, number=3), [], invoice(), ledger(saved=50, requests=3), BOTH)
    assert failed(saved, "save", dear) == []
    claimed = Run(saved.score, [], invoice(), ledger(saved=51, requests=3), BOTH)
    assert failed(claimed, "save", dear) == ["saving claimed = direct invoice - this one"]


def test_what_the_cache_served_wrongly():
    run = Run(score(served=4, wrong=3, leaks=1, reasons={"live_data": 2, "other class": 1}), [], invoice(), ledger())
    served = served_of(run)
    assert (served.other_class, served.uncacheable, served.share, served.leaks) == (1, 2, 0.5, 1)
    assert served.uncacheable_by_reason == {"live_data": 2}
    assert {"no answer of another tenant", "no answer of another class"} <= set(failed(run, "save"))


def test_by_meaning_few_answers_may_be_wrong_and_the_saving_is_an_estimate():
    dear = Run(score(number=3), [], invoice(nano=350))
    saved = Run(score(served=1, number=3), [], invoice(), ledger(saved=50, requests=3), BOTH)
    assert failed(saved, "semantic", dear) == []
    wrong = Run(score(served=1, wrong=1, number=3, reasons={"other class": 1}), [], invoice(), saved.ledger, BOTH)
    assert failed(wrong, "semantic", dear) == ["at most 0.5% of what is served is of another class"]
    claimed = Run(saved.score, [], invoice(), ledger(saved=52, requests=3), BOTH)
    assert failed(claimed, "semantic", dear) == ["saving claimed within 1% of direct invoice - this one"]


def test_the_interval_of_a_share():
    for bound in wilson(6, 468):  # what defines it: the share seen is just 1.96 standard errors away
        assert abs(6 / 468 - bound) == pytest.approx(1.959964 * (bound * (1 - bound) / 468) ** 0.5)
    assert (wilson(0, 10)[0], wilson(10, 10)[1]) == pytest.approx((0, 1))
    assert wilson(0, 0) == (0, 1)


def test_money_keeps_every_digit():
    assert usd(73_830_125_001) == "73.830125001"
    assert usd(-1) == "-0.000000001"


def test_tables_and_json_say_what_failed():
    runs = {"direct": DIRECT, "save": Run(score(), [], invoice(nano=301), ledger(), BOTH)}
    found = checks(runs)
    assert "by model" not in tables("dev", {"direct": DIRECT}, [])
    assert "0.000000300 (+1)" in tables("dev", runs, found)
    assert "FAILED  save: ledger = invoice, in total [-1 nano-dollars]" in tables("dev", runs, found)
    written = report("dev", runs, found)
    assert written["holds"] is False
    assert [one["by"] for one in written["modes"]["save"]["differences"]] == [-1, -1, -1]
