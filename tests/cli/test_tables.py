import io

from rich.console import Console

from farthing.cli import tables
from farthing.cli.tables import Line
from farthing.cli.text import UNKNOWN
from farthing.insight.profile import Example, Spend, expensive_patterns, pareto
from farthing.types import Usage

CENT = 10_000_000


def shown(what):
    out = io.StringIO()
    Console(file=out, width=200, highlight=False).print(what)
    return out.getvalue()


def test_the_headline_says_what_was_saved():
    total = Line(None, 100, 60, 300 * CENT, 400 * CENT, 100 * CENT, cache_hits=40)
    text = shown(tables.headline(total, "always"))
    assert "$3.00" in text
    assert "$4.00" in text
    assert "$1.00 (25%)" in text
    assert "40 answered from the cache (40%)" in text
    assert "!" not in text


def test_observe_mode_says_what_could_be_saved():
    text = shown(tables.headline(Line(None), "always", [("exact", 5 * CENT), ("other", 0)]))
    assert "$0.05 (exact $0.05) with mode = save" in text


def test_what_is_not_known_is_said_loudly():
    total = Line(None, unpriced_calls=1, estimated_calls=2, unsettled_calls=3)
    text = shown(tables.headline(total, "always"))
    assert "! 1 call unpriced" in text
    assert "! 2 calls estimated" in text
    assert "! 3 calls unsettled" in text


def test_a_row_with_an_unknown_cost_is_marked():
    rows = [Line("sure", 1, cost_nano=CENT), Line("doubtful", 1, cost_nano=CENT, unpriced_calls=1)]
    text = shown(tables.lines("By model", rows, Line(None, 2, cost_nano=2 * CENT)))
    assert [("?" in line) for line in text.splitlines() if "sure" in line or "doubtful" in line] == [False, True]


def test_unknown_percentiles_are_a_dash_and_no_name_is_said():
    text = shown(tables.lines("By user", [Line(None, 1)], Line(None, 1)))
    assert "(none)" in text
    assert UNKNOWN in text


def test_what_is_left_out_of_a_table_is_summed_up():
    rows = [Line(f"user {n}", 1, cost_nano=n * CENT) for n in range(9, 0, -1)]
    text = shown(tables.lines("By user", rows, Line(None, 9, cost_nano=45 * CENT), 2))
    assert "… 7 more" in text
    assert "$0.28" in text
    assert "user 7" not in text


def test_only_token_classes_that_occur_have_a_column():
    text = shown(tables.lines("By user", [], Line(None, tokens=Usage(input=1, cache_write_1h=1))))
    assert "write 1h" in text
    assert "write 5m" not in text


def test_markup_in_names_is_shown_as_it_is():
    assert "[bold]x[/bold]" in shown(tables.lines("By user", [Line("[bold]x[/bold]", 1)], Line(None, 1)))


def test_the_dearest_patterns_come_with_an_example():
    rows = [Spend("papers", 90 * CENT, 3, Usage(input=30_000)), Spend("chat", 10 * CENT, 97, Usage(input=970))]
    found = expensive_patterns(rows, {"papers": [Example("fr_1", "who\n wrote it? " + "x" * 200, 30 * CENT)]})
    text = shown(tables.patterns(pareto(rows), found))
    assert "50% of the query types (1 of 2) make 90% of the bill." in text
    assert "$0.90, 90% of the bill: 3 requests at $0.30, 10,000 input tokens each" in text
    assert "for example fr_1 $0.30: who wrote it? xxx" in text
    assert "x" * 150 not in text
