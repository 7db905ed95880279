from __future__ import annotations

from urllib.parse import quote

import pytest

INJECTIONS = [
    "' OR '1'='1",
    "1; DROP TABLE requests --",
    '" UNION SELECT * FROM keys --',
    "%00",
    "\\'); DELETE FROM calls; --",
]


async def openapi(ask, dashboard, memory):
    return (await ask(dashboard(memory()), "/farthing/api/openapi.json")).json


def schema(document, name):
    return document["components"]["schemas"][name]


async def test_report_is_the_contract(ask, dashboard, memory, a_month):
    document = await openapi(ask, dashboard, memory)
    report = (await ask(dashboard(memory(a_month(per_day=24))), "/farthing/api/report?by=feature")).json
    assert set(report) == {"total", "rows"}
    for sums in (report["total"], *report["rows"]):
        assert set(schema(document, "Figures")["required"]) <= set(sums)
        assert set(schema(document, "Tokens")["required"]) == set(sums["tokens"])
    assert sum(row["cost_nano_usd"] for row in report["rows"]) == report["total"]["cost_nano_usd"]
    assert None in [row["key"] for row in report["rows"]]


async def test_requests_are_the_contract(ask, dashboard, memory, a_month):
    document = await openapi(ask, dashboard, memory)
    shown = dashboard(memory(a_month(per_day=24)))
    found = (await ask(shown, "/farthing/api/requests?limit=7")).json
    assert len(found) == 7
    assert [one["ts"] for one in found] == sorted((one["ts"] for one in found), reverse=True)
    for one in found:
        assert set(schema(document, "Request")["required"]) <= set(one)
    assert (await ask(shown, f"/farthing/api/requests/{found[0]['id']}")).json == found[0]
    assert len((await ask(shown, "/farthing/api/requests")).json) == 50


async def test_every_path_and_parameter_described_is_answered(ask, dashboard, memory, a_month):
    document = await openapi(ask, dashboard, memory)
    values = {"by": "user", "since": "7d", "until": "2026-11-25", "tenant": "default", "limit": "5"}
    shown = dashboard(memory(a_month(per_day=24)))
    for path, methods in document["paths"].items():
        query = "&".join(
            f"{p['name']}={values[p['name']]}" for p in methods["get"].get("parameters", ()) if p["in"] == "query"
        )
        answer = await ask(shown, f"{path.replace('{id}', 'fr_000001')}?{query}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
    by = next(p for p in document["paths"]["/farthing/api/report"]["get"]["parameters"] if p["name"] == "by")
    for name in by["schema"]["enum"]:
        assert (await ask(shown, f"/farthing/api/report?by={name}")).status == 200


@pytest.mark.parametrize("text", INJECTIONS)
async def test_sql_in_keys_and_headers(ask, dashboard, memory, a_month, text):
    books = memory(a_month(per_day=24))
    shown, quoted = dashboard(books), quote(text)
    for query in (f"by={quoted}", f"since={quoted}", f"until={quoted}", f"{quoted}=1"):
        assert (await ask(shown, f"/farthing/api/report?{query}")).status == 400
    assert (await ask(shown, f"/farthing/api/requests?limit={quoted}")).status == 400
    assert (await ask(shown, f"/farthing/api/requests/{text}")).status == 404
    assert (await ask(shown, "/farthing/", **{"user-agent": text})).status == 200
    report = (await ask(shown, f"/farthing/api/report?by=user&tenant={quoted}")).json
    assert (report["rows"], report["total"]["requests"]) == ([], 0)
    assert (await ask(shown, "/farthing/api/report")).json["total"]["requests"] == len(books.records)
