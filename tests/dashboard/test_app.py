from __future__ import annotations

import base64
import threading

import pytest

from farthing.errors import StoreError

PATHS = [
    "/farthing/",
    "/farthing",
    "/farthing/requests/fr_000001",
    "/farthing/static/farthing.css",
    "/farthing/api/report",
    "/farthing/api/requests",
    "/farthing/api/requests/fr_000001",
    "/farthing/api/openapi.json",
    "/farthing/nowhere",
]


class Untouchable:
    """Books that must not be read."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was read")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"host": "evil.example"}, "Host 'evil.example'"),
        ({"origin": "https://evil.example"}, "Origin 'https://evil.example'"),
        ({"origin": "null"}, "Origin 'null'"),
        ({"origin": "http://localhost:3000"}, "Origin 'http://localhost:3000'"),
    ],
)
async def test_origin_and_host_checked_on_loopback(ask, dashboard, path, headers, reason):
    answer = await ask(dashboard(Untouchable()), path, **headers)
    assert answer.status == 403
    assert reason in answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_dashboard_and_api_need_login(ask, dashboard, path):
    def authorise(headers):
        return (b"authorization", b"Basic " + base64.b64encode(b":fk-admin")) in headers

    shut = dashboard(Untouchable(), authorise=authorise)
    for headers in ({}, {"authorization": "Basic bm9wZQ=="}, {"cookie": "admin=1"}, {"x-forwarded-for": "127.0.0.1"}):
        answer = await ask(shut, path, **headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
    static = await ask(
        shut, "/farthing/static/farthing.css", authorization="Basic " + base64.b64encode(b":fk-admin").decode()
    )
    assert static.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_reads(ask, dashboard, method):
    answer = await ask(dashboard(Untouchable()), "/farthing/", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", PATHS)
async def test_headers_keep_browsers_in_bounds(ask, dashboard, memory, a_month, path):
    answer = await ask(dashboard(memory(a_month(per_day=24))), path)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.body)
    head = await ask(dashboard(memory(a_month(per_day=24))), path, method="HEAD")
    assert (head.status, head.headers, head.body) == (answer.status, answer.headers, b"")


async def test_page_needs_nothing_that_the_policy_forbids(ask, dashboard, memory, a_month):
    shown = dashboard(memory(a_month(per_day=24)))
    for path in ("/farthing/", "/farthing/requests/fr_000001"):
        text = (await ask(shown, path)).text
        assert "<script" not in text
        assert "style=" not in text
        assert "http://" not in text.replace("http://localhost", "")
        assert "https://" not in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/farthing/nowhere", 404),
        ("/farthing/static/../app.py", 404),
        ("/farthing/static/", 404),
        ("/farthing/requests/", 404),
        ("/farthing/requests/none", 404),
        ("/farthing/?range=1y", 400),
        ("/farthing/api/", 404),
        ("/farthing/api/requests/none", 404),
        ("/farthing/api/report?by=price", 400),
        ("/farthing/api/report?since=soon", 400),
        ("/farthing/api/report?bye=model", 400),
        ("/farthing/api/requests?limit=0", 400),
    ],
)
async def test_what_is_not_there_or_not_understood_is_named(ask, dashboard, memory, a_month, path, status):
    answer = await ask(dashboard(memory(a_month(per_day=24))), path)
    assert answer.status == status
    if "/api/" in path:
        assert answer.json["error"]["code"] in {"farthing_bad_request", "farthing_no_such_route"}
        assert answer.json["error"]["message"]
    else:
        assert answer.headers["content-type"].startswith("text/plain")


async def test_first_visit_says_what_to_do(ask, dashboard, memory):
    text = (await ask(dashboard(memory()), "/farthing/", host="127.0.0.1:8321")).text
    assert "OPENAI_BASE_URL=http://127.0.0.1:8321/v1\n" in text.replace("</pre>", "\n")
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:8321\n" in text.replace("</pre>", "\n")
    assert "curl http://127.0.0.1:8321/v1/chat/completions" in text


async def test_month_is_on_the_page(ask, dashboard, memory, a_month):
    text = (await ask(dashboard(memory(a_month())), "/farthing/")).text
    for words in ("Last 30 days", "support chat", "gpt-4o-mini", "ada@shop.example", "of the bill.", "<svg", "Saved"):
        assert words in text
    assert text.count('class="time') == 50


async def test_request_is_shown_with_its_provider_calls(ask, dashboard, memory, a_month):
    records = list(a_month(per_day=24))
    one = next(record for record in records if record.calls and record.cost_nano)
    text = (await ask(dashboard(memory(records)), f"/farthing/requests/{one.id}")).text
    call = one.calls[0]
    for words in (call.price_version, call.id, call.model, "usage", "prompt_tokens", one.caller.feature or "gpt"):
        assert words in text


async def test_tenant_and_range_reach_the_books(ask, dashboard, memory, a_month):
    books = memory(a_month(per_day=24, tenants=("a", "b")))
    await ask(dashboard(books), "/farthing/?range=24h&tenant=a")
    await ask(dashboard(books), "/farthing/?range=all")
    assert [(tenant, since is None) for since, _, tenant in books.asked] == [("a", False), (None, True)]


async def test_a_broken_ledger_is_said_and_does_not_reach_the_gateway(ask, dashboard):
    class Broken:
        def read(self, *_):
            raise StoreError("farthing.db: the disk is full")

        report = read

    for path in ("/farthing/", "/farthing/api/report"):
        answer = await ask(dashboard(Broken()), path)
        assert answer.status == 503
        assert "farthing.db: the disk is full" in answer.text


async def test_ledger_is_never_read_in_the_event_loop(ask, dashboard, memory):
    threads = []

    class Noting(memory):
        def read(self, *args):
            threads.append(threading.current_thread())
            return super().read(*args)

    await ask(dashboard(Noting()), "/farthing/")
    assert threads
    assert threads[0] is not threading.main_thread()
