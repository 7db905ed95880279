import pytest

from farthing.cli import report, requests
from farthing.insight.shape import shape_of
from farthing.ledger.journal import Journal
from farthing.ledger.records import Call, Opened, Settled
from farthing.types import Caller, Prompt, Turn, Usage

NOW = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC."""
PAPERS = "You answer questions about scientific papers. Quote the words."
SUPPORT = "You are the support assistant of Acme Bank. Be kind."


def settled(number, system=SUPPORT, *, cost=1_000_000, source="usage", user="anna", ago=60.0, **other):
    usage = Usage(input=1_000 * (20 if system == PAPERS else 1), output=50)
    call = Call(
        f"call_{number}", "openai", "gpt-4o", NOW - ago, status=200, usage=usage, raw_usage="{}", cost_nano=cost,
        cost_source=source, price_version="book 1 openai/gpt-4o", latency_us=900_000,
    )  # fmt: skip
    prompt = Prompt(system, (Turn("user", f"question number {number}, please?"),))
    values = {
        "status": 200, "cache": "miss", "cost_nano": cost, "baseline_nano": cost, "calls": (call,),
        "latency_us": 1_000_000, "ttft_us": 200_000, "shape": shape_of("openai.chat", prompt, keep_example=True),
    } | other  # fmt: skip
    caller = Caller("acme", user, "papers" if system == PAPERS else "support")
    return Settled(f"fr_{number}", NOW - ago, caller, "openai.chat", "/chat/completions", "openai", "gpt-4o", **values)


ENTRIES = [
    *(settled(n, PAPERS, cost=50_000_000, user="bob") for n in range(3)),
    *(settled(n, ago=7_200.0) for n in range(10, 20)),
    settled(30, cost=0, cache="exact", calls=(), baseline_nano=1_000_000, saved=(("exact", 1_000_000),)),
    settled(31, cost=None, source="unpriced", baseline_nano=None),
    settled(32, source="estimated", ago=3 * 86_400.0),
    settled(33, status=429, error="rate_limit_exceeded", cost=0, source="free"),
]


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """The URL of a ledger whose entries are still in the journal of a process that has died."""
    monkeypatch.chdir(tmp_path)
    for command in (report, requests):
        monkeypatch.setattr(command, "clock", lambda: NOW)
    journal = Journal(tmp_path / "books.db.journal", lambda: NOW)
    for entry in ENTRIES:
        journal.append(Opened(entry.id, entry.ts, entry.caller, entry.wire, entry.path, call_id=f"o_{entry.id}"))
        journal.append(entry)
    journal.append(
        Opened("fr_lost", NOW - 5, Caller("acme"), "openai.chat", "/chat/completions", "openai", "gpt-4o", call_id="c")
    )
    journal.close()
    return "sqlite:///books.db"
