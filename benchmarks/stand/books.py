"""The ledger against the simulator's invoice, call by call. Pure, but for reading the two."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import msgspec

EXPLAINED = {
    "client_gone": "its client hung up",
    "cut": "the provider broke off",
    "upstream_closed": "the provider broke off before its reply",
    "server_error": "an error event inside a stream",
    "overloaded_error": "an error event inside a stream",
    "truncated": "its end was garbled or missing",
    "": "a reply without usage: its end was garbled",
}
"""Why the provider itself did not say what a call used."""


class Call(NamedTuple):
    """A provider call of the ledger."""

    request_id: str | None
    nano: int | None
    source: str
    error: str | None


class Line(msgspec.Struct, frozen=True):
    """A line of the invoice."""

    request_id: str
    nano_usd: int


class Invoice(msgspec.Struct, frozen=True):
    """``GET /_invoice?lines=1``."""

    lines: list[Line]


@dataclass
class Books:
    """Both sides. Money in nano-dollars."""

    requests: int
    calls: int
    exact: int = 0
    """Calls whose usage the provider told."""
    exact_nano: int = 0
    unlike: list[str] = field(default_factory=list[str])
    """Of these: what is billed otherwise. Also calls that are free here and billed there."""
    inexact: Counter[str] = field(default_factory=Counter[str])
    """Calls that are estimated, unsettled or unpriced, by source and cause."""
    inexact_ledger_nano: int = 0
    inexact_invoice_nano: int = 0
    unexplained: Counter[str] = field(default_factory=Counter[str])
    nameless: int = 0
    """Unsettled calls that ended before the provider said their id …"""
    orphans: int = 0
    """… and lines of the invoice that no call of the ledger is known to be: one of these each."""
    orphans_nano: int = 0
    invoice_nano: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For the JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def compare(requests: int, calls: Iterable[Call], lines: Iterable[Line], direct: Collection[str]) -> Books:
    """``direct``: ids of requests that went past the gateway."""
    billed = {line.request_id: line.nano_usd for line in lines if line.request_id not in direct}
    books = Books(requests, 0, invoice_nano=sum(billed.values()))
    for call in calls:
        books.calls += 1
        nano = billed.pop(call.request_id, None) if call.request_id else None
        if call.source in {"usage", "free"}:
            _exact(books, call, nano)
        else:
            _inexact(books, call, nano)
    books.orphans, books.orphans_nano = len(billed), sum(billed.values())
    return books


def _exact(books: Books, call: Call, nano: int | None) -> None:
    books.exact += call.source == "usage"
    books.exact_nano += call.nano or 0
    if call.nano != (nano or 0) or (nano is None and call.source == "usage"):
        books.unlike.append(f"{call.request_id}: ledger {call.nano}, invoice {nano} ({call.source}, {call.error})")


def _inexact(books: Books, call: Call, nano: int | None) -> None:
    cause = call.error or ""
    books.inexact[f"{call.source}: {EXPLAINED.get(cause, cause)}"] += 1
    books.inexact_ledger_nano += call.nano or 0
    books.inexact_invoice_nano += nano or 0
    books.nameless += call.request_id is None
    if cause not in EXPLAINED:
        books.unexplained[f"{call.source}: {cause}"] += 1


def ledger_of(store: Path) -> tuple[int, list[Call]]:
    """Requests and calls of a ledger that nobody writes any more."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as ledger:
        requests: int = ledger.execute("SELECT count(*) FROM requests").fetchone()[0]
        rows = ledger.execute("SELECT provider_request_id, cost, cost_source, error FROM calls").fetchall()
    return requests, [Call(*row) for row in rows]


def invoice_of(provider: str) -> list[Line]:
    """What the simulator bills."""
    with urlopen(f"{provider}/_invoice?lines=1", timeout=120) as reply:
        return msgspec.json.decode(reply.read(), type=Invoice).lines
