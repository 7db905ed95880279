"""Pages as the providers' references show them; the numbers are made up."""

from __future__ import annotations

import json

import pytest

from farthing.errors import StatementError
from farthing.ledger.statements import merged, read
from farthing.ledger.statements.model import CENT, Item

DAY = 86_400
START = 1_795_564_800


def page(kind: str, *results: dict[str, object], **more: object) -> bytes:
    named = [{"object": f"organization.{kind}.result", **one} for one in results]
    bucket = {"object": "bucket", "start_time": START, "end_time": START + DAY, "results": named}
    return json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None} | more).encode()


def report(*results: dict[str, object], **more: object) -> bytes:
    bucket = {"starting_at": "2026-11-25T00:00:00Z", "ending_at": "2026-11-26T00:00:00Z", "results": results}
    return json.dumps({"data": [bucket], "has_more": False, "next_page": None} | more).encode()


def test_openai_usage_has_disjoint_classes() -> None:
    found = read(
        "u.json",
        page(
            "usage.completions",
            {
                "input_tokens": 1000, "input_cached_tokens": 300, "input_cache_write_tokens": 100, "output_tokens": 50,
                "num_model_requests": 7, "model": "gpt-6-luna", "api_key_id": "key_1", "service_tier": "flex",
            },
        ),
    )  # fmt: skip
    (item,) = found.items
    assert item == Item(
        since=START,
        until=START + DAY,
        model="gpt-6-luna",
        key="key_1",
        tier="flex",
        requests=7,
        tokens={"input": 600, "cache_read": 300, "cache_write": 100, "output": 50},
    )
    assert (found.form, found.provider, found.span) == ("OpenAI usage", "openai", (START, START + DAY))
    assert found.wires == ("openai.chat", "openai.responses")
    assert found.classes["cache_write"] == ("cache_write_5m", "cache_write_1h")


def test_an_older_openai_page_has_writes_in_its_input() -> None:
    found = read("u.json", page("usage.completions", {"input_tokens": 10, "num_model_requests": 1, "batch": True}))
    assert "cache_write" not in found.classes
    assert "cache_write_5m" in found.classes["input"]
    assert found.items[0].tier == "batch"


def test_embeddings_are_a_statement_of_their_own() -> None:
    found = read("e.json", page("usage.embeddings", {"input_tokens": 10, "num_model_requests": 1}))
    assert found.wires == ("openai.embeddings",)


def test_openai_costs_name_the_model_in_the_line() -> None:
    amount = {"value": 0.06, "currency": "usd"}
    found = read("c.json", page("costs", {"amount": amount, "line_item": "gpt-4o-2024-08-06, cached input"}))
    (item,) = found.items
    assert (item.model, item.cost_nano, item.slack_nano) == ("gpt-4o-2024-08-06", 60_000_000, CENT // 2)


def test_dollars_are_read_exactly_and_know_how_much_was_rounded() -> None:
    found = read("c.json", page("costs", {"amount": {"value": 1.123456789, "currency": "usd"}}))
    assert (found.items[0].cost_nano, found.items[0].slack_nano) == (1_123_456_789, 1)


def test_anthropic_usage_is_disjoint_already() -> None:
    found = read(
        "a.json",
        report(
            {
                "uncached_input_tokens": 1500, "cache_read_input_tokens": 200, "output_tokens": 500,
                "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
                "server_tool_use": {"web_search_requests": 10}, "model": "claude-x", "service_tier": "standard",
            }
        ),
    )  # fmt: skip
    assert found.items[0].tokens == {
        "input": 1500, "cache_read": 200, "cache_write_5m": 500, "cache_write_1h": 1000, "output": 500, "web_searches": 10,
    }  # fmt: skip
    assert (found.provider, found.form, found.span) == ("anthropic", "Anthropic usage report", (START, START + DAY))


def test_anthropic_amounts_are_cents() -> None:
    found = read(
        "a.json", report({"currency": "USD", "amount": "123.45678", "model": "claude-x", "cost_type": "tokens"})
    )
    assert found.items[0].cost_nano == 1_234_567_800
    assert found.remarks == ("calls in the Priority Tier are not in Anthropic's cost report",)


def test_a_table_has_the_columns_that_it_has() -> None:
    text = "Date,Model,input,output,cost_usd,colour\n2026-11-25,m,10,2,$0.10,red\n2026-11-26,m,1,,,\n"
    found = read("t.csv", b"\xef\xbb\xbf" + text.encode())
    first, second = found.items
    assert (first.since, first.until, first.model, first.tokens) == (
        START,
        START + DAY,
        "m",
        {"input": 10, "output": 2},
    )
    assert (first.cost_nano, second.tokens, second.cost_nano) == (100_000_000, {"input": 1}, None)
    assert found.classes == {"input": ("input",), "output": ("output",)}
    assert found.remarks == ("columns that are not read: colour",)


def test_a_table_of_calls() -> None:
    found = read("t.csv", b"time,request_id,cost_nano_usd\n1795564800.5,req_1,7\n2026-11-25T00:00:01Z,req_2,8\n")
    assert [(one.since, one.until, one.requests, one.cost_nano) for one in found.items] == [
        (START + 0.5, None, 1, 7),
        (START + 1, None, 1, 8),
    ]


def test_pages_are_one_statement() -> None:
    usage = {"input_tokens": 1, "num_model_requests": 1}
    first = read("1.json", page("usage.completions", usage, has_more=True))
    last = read("2.json", page("usage.completions", usage))
    assert first.more
    (both,) = merged([first, last])
    assert (len(both.items), both.more, both.name) == (2, False, "1.json, 2.json")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", "no text"),
        (b"{", "not valid JSON"),
        (b"[1]", "none of the forms"),
        (b'{"a": 1}', "none of the forms"),
        (b"", "no column"),
        (b"model\nx\n", "no column"),
        (b"input\nmany\n", "line 2, input: expected a whole number"),
        (b"cost_usd\nNaN\n", "no amount of money"),
        (b"cost_usd\n1e999999999\n", "no amount of money"),
        (b"date,input\nsoon,1\n", "'soon' is not a time"),
        (page("usage.completions"), "no results"),
        (page("usage.images", {"images": 1}), "cannot be compared"),
        (page("costs", {"amount": {"value": 1, "currency": "eur"}}), "currency: 'eur'"),
        (page("usage.completions", {"input_tokens": -1}), "input_tokens: expected a whole number"),
        (page("usage.completions", {"input_tokens": 1, "input_cached_tokens": 2}), "more than 1 of input"),
        (report(), "no results"),
        (report({"model": "x"}), "neither usage nor an amount"),
        (report({"amount": "1", "currency": "EUR"}), "currency: 'EUR'"),
        (b'{"total_nano_usd": 0, "by_model": {}, "lines": [{"model": 1}]}', "lines"),
        (b'{"object": "page", "data": [3]}', "expected an object"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, said: str) -> None:
    with pytest.raises(StatementError, match=said):
        read("x", data)
