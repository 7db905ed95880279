from __future__ import annotations

import msgspec
import pytest

from farthing.dashboard.detail import detail, line, worst
from farthing.dashboard.render import Renderer
from farthing.ledger.records import Call, Settled, Shape
from farthing.types import Caller, Usage

CALL = Call(
    id="c1",
    provider="openai",
    model="gpt-4o",
    started=1.0,
    usage=Usage(input=10, cache_read=5, output=7, reasoning=3),
    raw_usage='{"prompt_tokens": 15}',
    cost_nano=1_234_567,
    cost_source="usage",
    price_version="made-up 1 gpt-4o",
)
ONE = Settled(
    id="fr_1",
    ts=1_795_586_400.0,
    caller=Caller(user="ada"),
    wire="openai.chat",
    path="/v1/chat/completions",
    model="gpt-4o",
    status=200,
    calls=(CALL,),
    cost_nano=1_234_567,
    baseline_nano=2_234_567,
)


def changed(**changes):
    return msgspec.structs.replace(ONE, **changes)


@pytest.mark.parametrize(
    ("sources", "shown"),
    [
        ([], "free"),
        (["free", "usage"], "usage"),
        (["usage", "estimated"], "estimated"),
        (["estimated", "unpriced", "usage"], "unpriced"),
        (["unpriced", "unsettled"], "unsettled"),
    ],
)
def test_the_least_sure_source_is_shown(sources, shown):
    assert worst(sources) == shown


def test_line_counts_each_token_once():
    shown = line(ONE)
    assert (shown.tokens, shown.cost, shown.saved, shown.source) == (22, 1_234_567, 1_000_000, "usage")


def test_unknown_is_never_nothing():
    call = msgspec.structs.replace(CALL, usage=None, cost_nano=None, cost_source="unpriced")
    shown = line(changed(calls=(call,), cost_nano=None, baseline_nano=None))
    assert (shown.tokens, shown.cost, shown.saved, shown.source) == (None, None, None, "unpriced")
    text = Renderer()(
        "request.html", mode="save", detail=detail(changed(calls=(call,), cost_nano=None, baseline_nano=None))
    )
    assert "$0" not in text
    assert "unpriced" in text


def test_an_answer_from_the_cache_has_no_tokens_to_pay():
    assert line(changed(calls=(), cost_nano=0, cache="exact")).tokens == 0


def test_a_call_is_shown_to_the_nano_dollar_with_its_classes_and_price():
    shown = detail(ONE, "support answers")
    assert shown.calls[0].tokens == (("input", 10), ("cache read", 5), ("output", 7), ("reasoning", 3))
    assert ("Query type", "support answers") in shown.facts
    text = Renderer()("request.html", mode="save", detail=shown)
    for words in ("$0.001234567", "made-up 1 gpt-4o", "prompt_tokens", "cache read", "answer: gpt-4o at openai"):
        assert words in text


def test_what_is_not_known_is_left_out():
    assert {"User", "Status"} <= {name for name, _ in detail(ONE).facts}
    assert not {"Feature", "Session", "Tags", "Error", "Took", "Route"} & {name for name, _ in detail(ONE).facts}


def test_what_users_and_providers_write_is_never_markup():
    evil = "<script>alert('x')</script>"
    call = Call(evil, evil, evil, 1.0, evil, evil, 200, evil, evil, evil, evil, Usage(input=1), evil, 1, "usage", evil)
    caller = Caller(evil, evil, evil, evil, ((evil, evil),))
    shown = detail(
        changed(
            id=evil, caller=caller, path=evil, model=evil, error=evil, route=evil, calls=(call,),
            saved=((evil, 1),), would_save=((evil, 1),), shape=Shape(evil, title=evil, example=evil),
        ),
        evil,
    )  # fmt: skip
    text = Renderer()("request.html", mode="save", detail=shown)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 20
