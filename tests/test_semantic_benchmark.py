"""What ``benchmarks/semantic.py`` counts as served and as wrong."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[1] / "benchmarks"), *sys.path])
    from semantics import caches, data, replay, vectors

    return SimpleNamespace(**{**vars(caches), **vars(data), **vars(vectors), **vars(replay)})


def asked(bench, text, tenant="a", class_id="c", why_not="", before=()):
    return bench.Request(0.0, "faq", tenant, before, text, class_id, why_not)


def vectors(bench, texts):
    """By length: texts of one length are the same, others are not alike at all."""
    np = pytest.importorskip("numpy")
    made = bench.Vectors("length", lambda given: np.eye(40, dtype=np.float32)[[len(text) for text in given]], None)
    made.prepare(texts, lambda line: None)
    return made


def test_wrong_is_another_class_tenant_or_conversation_and_what_must_not_be_repeated(bench):
    first = asked(bench, "How do I top up?")
    assert bench.wrong(first, first) is None
    assert bench.wrong(first, asked(bench, "x", class_id="d")) == "another class"
    assert bench.wrong(first, asked(bench, "x", tenant="b")) == "right, but another tenant's"
    assert bench.wrong(first, asked(bench, "x", before=("y",))) == "another conversation"
    assert bench.wrong(asked(bench, "x", why_not="action"), first) == "action"
    assert bench.wrong(first, asked(bench, "x", why_not="personal")) == "personal"


def test_the_oracle_serves_every_right_repeat_and_nothing_else(bench):
    traffic = [
        asked(bench, "one"),
        asked(bench, "two"),
        asked(bench, "one", tenant="b"),
        asked(bench, "x", why_not="action"),
    ]
    found = bench.replay(traffic * 2, bench.Oracle())
    assert (found["served"], found["wrong"], found["across_tenants"]) == (4, 0, 0)


def test_a_pot_for_all_answers_across_tenants_and_a_pot_each_does_not(bench):
    traffic = [asked(bench, "How do I top up?"), asked(bench, "How do I cancel?", tenant="b")]
    alike = vectors(bench, [each.text for each in traffic])
    assert bench.replay(traffic, bench.gptcache(alike, 0.8))["across_tenants"] == 1
    assert bench.replay(traffic, bench.litellm(alike, 0.8))["served"] == 0


def test_a_question_served_for_another_is_no_entry_of_its_own(bench):
    """Its answer was another one's: the next time it is judged by that one's class again."""
    first, second = asked(bench, "How do I top up?"), asked(bench, "Where do I pay in", class_id="d")
    alike = vectors(bench, [first.text])
    same = bench.Vectors("same", lambda given: alike.of(first.text)[None].repeat(len(given), 0), None)
    same.prepare([first.text, second.text], lambda line: None)
    found = bench.replay(
        [first, second, second], bench.Threshold(same, 0.9, lambda one, other: None, gate=lambda _: None)
    )
    assert (found["served"], found["wrong"]) == (2, 2)
    forbidden = bench.replay(
        [first, second, second], bench.Threshold(same, 0.9, lambda one, other: "number", gate=lambda _: None)
    )
    assert (forbidden["served"], forbidden["wrong"], forbidden["layers"]) == (1, 0, {"exact": 1})


def test_a_drifting_stream_is_the_same_every_time_and_kept(bench):
    from semantics import drifting

    one, again = drifting.simulate(0.05, 2), drifting.simulate(0.05, 2)
    assert one == again
    assert one["kept"] == 1.0
    assert one["served"] > 0
