from __future__ import annotations

import pytest

from farthing.dashboard.page import Choice, build, notices, ranking
from farthing.dashboard.reading import Figures, Point, Reading
from farthing.dashboard.render import Renderer
from farthing.dashboard.view import Line
from farthing.errors import BadRequest
from farthing.money import NANO

NOW = 1_795_586_400.0
DAY = 86_400
HOUR = 3_600


def figures(key, cost, **more):
    return Figures(key=key, cost=cost, baseline=cost, requests=cost // NANO + 1, **more)


def points(*amounts, width=DAY):
    """One feature, ending with the bucket of now."""
    last = int(NOW) // width
    return tuple(Point((last - len(amounts) + 1 + at) * width, "chat", cost) for at, cost in enumerate(amounts))


def page(reading, mode="save", names=None, **choice):
    return build(reading, Choice(**{"range": "30d", "now": NOW, **choice}), mode, names or {})


def test_choice_is_kept_in_every_link():
    choice = Choice("7d", NOW, "acme & sons")
    assert choice.href(range="24h") == "/farthing/?range=24h&tenant=acme+%26+sons"
    assert choice.href(tenant="") == "/farthing/?range=7d"
    assert choice.href(range="30d", tenant="") == "/farthing/"


def test_periods_begin_on_a_whole_hour():
    assert Choice("24h", NOW + 5).since == NOW - DAY
    assert Choice("all", NOW).since is None


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"range": "1y"}, "range: '1y' is none of 24h, 7d, 30d, all"),
        ({"by": "x", "'--": "1"}, "'--, by: the page takes"),
    ],
)
def test_a_wrong_choice_is_named(query, named):
    with pytest.raises(BadRequest, match=named):
        Choice.of(query, NOW)


def test_unsure_figures_are_said_loudly():
    shown = list(notices(figures("a", 1, unpriced=1, unsettled=2, estimated=3_000)))
    assert [notice.kind for notice in shown] == ["unpriced", "unsettled", "estimated"]
    assert [notice.title for notice in shown] == [
        "1 provider call has no known price.",
        "2 provider calls have not ended, as far as is known.",
        "3,000 provider calls have an estimated cost.",
    ]
    assert not list(notices(figures("a", 1)))


def test_ranking_is_dearest_first_and_adds_up():
    rows = [figures(f"u{index}", index * NANO) for index in range(20)]
    shown = ranking("Users", "user", rows)
    assert [item.name for item in shown.items] == ["u19", "u18", "u17", "u16", "u15", "u14", "u13", "13 more"]
    assert sum(item.cost for item in shown.items) == sum(row.cost for row in rows)
    assert sum(item.requests for item in shown.items) == sum(row.requests for row in rows)
    assert [item.width for item in shown.items[:2]] == [100.0, 94.74]
    assert all(0 <= item.width <= 100 for item in shown.items)


def test_ranking_without_names_says_how_to_get_them():
    shown = ranking("Users", "user", [figures(None, NANO)], hint="x-farthing-user")
    assert (shown.items[0].name, shown.items[0].aside) == ("no user named", True)
    assert "x-farthing-user" in shown.hint
    assert not ranking("Users", "user", [figures(None, 1), figures("a", 1)], hint="x-farthing-user").hint


def test_chart_reaches_from_the_first_spend_to_now():
    chart = page(Reading(figures(None, 6), points=points(*range(1, 21)))).chart
    assert (chart.buckets[0], chart.buckets[-1], len(chart.buckets)) == ("6 Nov", "25 Nov", 20)
    assert chart.series[0].values == tuple(range(1, 21))


def test_chart_of_a_first_hour_is_not_one_wall():
    chart = page(Reading(figures(None, 6), points=points(6, width=HOUR), bucket=HOUR)).chart
    assert len(chart.buckets) == 14
    assert chart.buckets[-1] == "25 Nov 06:00"
    assert chart.series[0].values == (0,) * 13 + (6,)


def test_chart_gives_the_small_features_one_colour_and_loses_nothing():
    many = tuple(Point(NOW - DAY, f"f{index}", index * NANO) for index in range(1, 9))
    chart = page(Reading(figures(None, 36 * NANO), points=many)).chart
    assert [one.name for one in chart.series] == ["f8", "f7", "f6", "f5", "f4", "3 more"]
    assert sum(one.total for one in chart.series) == 36 * NANO


def test_chart_shows_what_was_saved_only_where_something_can_be():
    one = (Point(NOW - DAY, "chat", 3, 2), Point(NOW, "chat", 1, 4))
    assert page(Reading(figures(None, 4), points=one)).chart.series[-1].total == 6
    assert [s.name for s in page(Reading(figures(None, 4), points=one), "observe").chart.series] == ["chat"]


def test_nothing_spent_is_no_chart_and_no_sentence():
    empty = page(Reading(Figures(None), points=points(0, 0)))
    assert (empty.chart, empty.pareto, empty.patterns) == (None, "", ())
    assert "Nothing was spent in this period" in html(empty)


def test_query_types_are_named_in_plain_words():
    rows = (figures("q1", 8 * NANO), figures("q2", NANO), figures("q3", NANO))
    reading = Reading(figures(None, 10 * NANO), query_types=rows, examples={"q1": "Where is my order?"})
    shown = page(reading, names={"q1": "support answers"})
    assert shown.pareto == "33% of the query types (1 of 3) make 80% of the bill."
    assert (shown.patterns[0].title, shown.patterns[0].example) == ("support answers", "Where is my order?")
    assert shown.rankings[3].items[0].name == "support answers"


def test_tenants_can_be_chosen_if_there_are_several():
    assert page(Reading(figures(None, 1), tenants=("default",))).tenants == ()
    links = page(Reading(figures(None, 1), tenants=("a", "b")), tenant="b").tenants
    assert [(link.label, link.href, link.current) for link in links] == [
        ("All tenants", "/farthing/", False),
        ("a", "/farthing/?tenant=a", False),
        ("b", "/farthing/?tenant=b", True),
    ]


def test_observe_mode_says_what_would_have_been_saved():
    total = Figures(None, cost=10 * NANO, baseline=10 * NANO, would_save=4 * NANO, requests=9, hits=3, misses=3)
    shown = page(Reading(total, levers=(("exact", 0, 4 * NANO),)), "observe")
    assert (shown.cache.hits, shown.cache.off, shown.cache.saved) == (3, 3, 4 * NANO)
    text = html(shown, "observe")
    assert "Would have saved" in text
    assert "40% of the bill" in text
    assert "$6.00" in text


def test_save_mode_says_what_was_saved():
    total = Figures(None, cost=6 * NANO, baseline=10 * NANO, saved=4 * NANO, requests=9, hits=3, misses=3)
    text = html(page(Reading(total, levers=(("exact", 4 * NANO, 0),))))
    assert "40% of that" in text
    assert "Would have saved" not in text


SCRIPT = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&"


def test_what_users_write_is_never_markup():
    row = figures(SCRIPT, NANO)
    line = Line(
        SCRIPT, NOW, SCRIPT, SCRIPT, SCRIPT, SCRIPT, 200, SCRIPT, SCRIPT, 1, 1, SCRIPT, 1,
    )  # fmt: skip
    reading = Reading(
        row,
        *([(row, figures("b", 1))] * 4),
        points=(Point(NOW, SCRIPT, 1),),
        levers=((SCRIPT, 1, 1),),
        tenants=(SCRIPT, "b"),
        lines=(line,),
        examples={SCRIPT: SCRIPT},
    )
    text = html(page(reading, names={"b": SCRIPT + "2"}, tenant=SCRIPT))
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") >= 12
    assert 'href="javascript' not in text


def test_broken_unicode_does_not_break_the_page():
    row = figures("\ud800 \x00 \u202e", NANO)
    assert "bdi" in html(page(Reading(row, (row,), tenants=("\ud800", "b"))))


def test_figures_of_a_company_and_of_a_first_call_both_read_well():
    for cost in (1, 10**6, 12_000_000 * NANO):
        assert "$" in html(page(Reading(figures(None, cost), (figures("chat", cost),), points=points(cost))))


def html(shown, mode="save"):
    return Renderer()("index.html", mode=mode, page=shown)
