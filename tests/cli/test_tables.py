import io

import pytest
from rich.console import Console

from farthing.cli import tables
from farthing.cli.text import UNKNOWN
from farthing.insight.profile import Example, Spend, expensive_patterns, pareto
from farthing.ledger.figures import Figures
from farthing.types import Usage

CENT = 10_000_000


def row(key=None, requests=1, **figures):
    return Figures(key=key, requests=requests, **figures)


def shown(what, width=200):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(what)
    return out.getvalue()


def test_the_headline_says_what_was_saved():
    total = row(
        requests=100, cost_nano_usd=300 * CENT, baseline_nano_usd=400 * CENT, saved_nano_usd=100 * CENT, hits_exact=40
    )
    text = shown(tables.headline(total, "always"))
    assert "$3.00" in text
    assert "$4.00" in text
    assert "$1.00 (25%)" in text
    assert "40 answered from the cache (40%)" in text
    assert "!" not in text


def test_observe_mode_says_what_could_be_saved():
    total = row(requests=10, cost_nano_usd=10 * CENT, would_save_nano_usd=5 * CENT, would_hit_exact=4)
    text = shown(tables.headline(total, "always"))
    assert "$0.05 more (50%) with mode = save" in text
    assert "4 could have been (40%)" in text


def test_what_is_not_known_is_said_loudly():
    total = row(unpriced_calls=1, estimated_calls=2, unsettled_calls=3)
    text = shown(tables.headline(total, "always"))
    assert "! 1 call unpriced" in text
    assert "! 2 calls estimated" in text
    assert "! 3 calls unsettled" in text


def test_a_row_with_an_unknown_cost_is_marked():
    rows = [row("sure", cost_nano_usd=CENT), row("doubtful", cost_nano_usd=CENT, unpriced_calls=1)]
    text = shown(tables.lines("By model", rows, row(requests=2, cost_nano_usd=2 * CENT)))
    assert [("?" in line) for line in text.splitlines() if "sure" in line or "doubtful" in line] == [False, True]


def test_unknown_percentiles_are_a_dash_and_no_name_is_said():
    text = shown(tables.lines("By user", [row()], row()))
    assert "(none)" in text
    assert UNKNOWN in text


def test_what_is_left_out_of_a_table_is_summed_up():
    rows = [row(f"user {n}", cost_nano_usd=n * CENT) for n in (9, 8)]
    text = shown(tables.lines("By user", rows, row(requests=9, cost_nano_usd=45 * CENT)))
    assert "… the rest" in text
    assert "$0.28" in text


def test_only_token_classes_that_occur_have_a_column():
    text = shown(tables.lines("By user", [], row(tokens={"input": 1, "output": 0, "cache_write_1h": 1})))
    assert "write 1h" in text
    assert "write 5m" not in text


def test_markup_in_names_is_shown_as_it_is():
    assert "[bold]x[/bold]" in shown(tables.lines("By user", [row("[bold]x[/bold]")], row()))


def test_the_dearest_patterns_come_with_an_example():
    rows = [Spend("papers", 90 * CENT, 3, Usage(input=30_000)), Spend("chat", 10 * CENT, 97, Usage(input=970))]
    found = expensive_patterns(rows, {"papers": [Example("fr_1", "who\n wrote it? " + "x" * 200, 30 * CENT)]})
    text = shown(tables.patterns(pareto(rows), found))
    assert "50% of the query types (1 of 2) make 90% of the bill." in text
    assert "$0.90, 90% of the bill: 3 requests at $0.30, 10,000 input tokens each" in text
    assert "for example fr_1 $0.30: who wrote it? xxx" in text
    assert "x" * 150 not in text


def test_levers_have_a_table_of_what_they_saved():
    rows = [row("exact", saved_nano_usd=30 * CENT), row("prefix", would_save_nano_usd=10 * CENT)]
    text = shown(tables.levers("Savings", rows, row(baseline_nano_usd=100 * CENT)))
    assert "30%" in text
    assert "$0.10" in text


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_a_narrow_terminal_loses_columns_and_no_figures(width):
    rows = [
        row(key="a-model-with-a-name-of-more-than-forty-characters", requests=1234, cost_nano_usd=1234 * CENT),
        row(key="b", requests=1, cost_nano_usd=CENT, saved_nano_usd=CENT),
    ]
    total = row(requests=1235, cost_nano_usd=1235 * CENT, saved_nano_usd=CENT)
    text = shown(tables.lines("By model", rows, total), width)
    assert all(figure in text for figure in ("1,234", "$12.34", "100%"))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert ("saved" in text) == (width >= 120)
    assert ("latency p95" in text) == (width >= 300)
