"""What has to hold of each mode, and what else is worth knowing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from months.books import Difference, Invoice, Ledger, Request, book_differences, call_differences, usd, wilson
from months.running import SEMANTIC, Figures, Run

NEAR = 2_000
"""Two runs without a cache may bill differently by one part in so many (0.05%): prompt caches see other orders."""
FEW = 200
"""One of so many served answers may be of another class where questions are matched by their meaning (0.5%)."""
SHOWN = 20
"""Single calls that are printed; the JSON has all."""
ANSWERS = ("requests", "errors", "unrecorded_answers", "quality", "wrong_from_cache")
OTHER_CLASS = "other class"
"""The scorer's name for a wrong answer to an item that may be served from a cache."""

Runs = Mapping[str, Run]


class Check(NamedTuple):
    mode: str
    what: str
    holds: bool
    found: str = ""


class Served(NamedTuple):
    """What came from the cache. ``interval``: 95%, of the uncacheable among the served."""

    served: int
    other_class: int
    uncacheable: int
    uncacheable_by_reason: dict[str, int]
    interval: tuple[float, float]
    leaks: int

    @property
    def share(self) -> float:
        return self.uncacheable / self.served if self.served else 0.0


def checks(runs: Runs) -> list[Check]:
    """Those that the modes which were run allow."""
    return [check for mode, run in runs.items() for check in _of_mode(mode, run, runs.get("direct"))]


def _of_mode(mode: str, run: Run, direct: Run | None) -> Iterator[Check]:
    yield Check(mode, "the scorer has no complaint", not run.complaints, "; ".join(run.complaints))
    if run.ledger is None:
        return
    sent, known = run.score.all.requests, run.ledger.total.requests
    yield Check(mode, "the ledger has every request", sent == known, f"{known:,} of {sent:,}")
    yield from _books(mode, run.invoice, run.ledger, run.requests)
    yield from KINDS[mode](run, run.ledger, direct)


def _books(mode: str, invoice: Invoice, ledger: Ledger, requests: Sequence[Request]) -> Iterator[Check]:
    books, calls = book_differences(invoice, ledger), call_differences(invoice, requests)
    total = ledger.total
    open_ = f"{total.unsettled_calls} unsettled, {total.unpriced_calls} unpriced"
    yield Check(mode, "every call is settled and priced", not total.unsettled_calls + total.unpriced_calls, open_)
    by = f"{total.cost_nano_usd - invoice.total_nano_usd:+,} nano-dollars"
    yield Check(mode, "ledger = invoice, in total", total.cost_nano_usd == invoice.total_nano_usd, by)
    yield Check(mode, "ledger = invoice, of every model: calls, dollars, token classes", not books, _listed(books))
    yield Check(mode, "ledger = invoice, call by call", not calls, _listed(calls))


def _listed(found: Sequence[Difference]) -> str:
    more = f"; … {len(found)} in all" if len(found) > SHOWN else ""
    return "; ".join(map(str, found[:SHOWN])) + more if found else "no difference"


def _observed(run: Run, _: Ledger, direct: Run | None) -> Iterator[Check]:
    served = run.score.all.from_cache
    yield Check("observe", "nothing is served from a cache", not served, f"{served} served")
    if direct is None:
        return
    unlike = unlike_answers(run, direct)
    yield Check("observe", "answers as good as direct ones, in every feature", not unlike, "; ".join(unlike))
    bill, base = run.invoice.total_nano_usd, direct.invoice.total_nano_usd
    found = f"{bill - base:+,} nano-dollars ({(bill - base) / max(base, 1):+.4%})"
    yield Check("observe", "invoice within 0.05% of the direct one", abs(bill - base) * NEAR <= base, found)


def _saved(run: Run, ledger: Ledger, direct: Run | None) -> Iterator[Check]:
    served = served_of(run)
    yield Check("save", "no answer of another tenant", not served.leaks, f"{served.leaks}")
    yield Check("save", "no answer of another class", not served.other_class, f"{served.other_class}")
    hits = ledger.total.hits_exact
    yield Check("save", "ledger's hits = answers the provider was not asked for", hits == served.served, f"{hits}")
    if direct is None:
        return
    less, claimed = direct.invoice.total_nano_usd - run.invoice.total_nano_usd, ledger.total.saved_nano_usd
    found = f"claimed ${usd(claimed)}, invoices differ by ${usd(less)}"
    yield Check("save", "saving claimed = direct invoice - this one", claimed == less, found)


def _by_meaning(run: Run, ledger: Ledger, direct: Run | None) -> Iterator[Check]:
    served, total = served_of(run), ledger.total
    yield Check(SEMANTIC, "no answer of another tenant", not served.leaks, f"{served.leaks}")
    few = served.other_class * FEW <= served.served
    found = f"{served.other_class} of {served.served}"
    yield Check(SEMANTIC, "at most 0.5% of what is served is of another class", few, found)
    hits = total.hits_exact + total.hits_semantic
    found = f"{total.hits_exact} repeats, {total.hits_semantic} by meaning"
    yield Check(SEMANTIC, "ledger's hits = answers the provider was not asked for", hits == served.served, found)
    if direct is None:
        return
    less, claimed = direct.invoice.total_nano_usd - run.invoice.total_nano_usd, total.saved_nano_usd
    found = f"claimed ${usd(claimed)}, invoices differ by ${usd(less)}"
    yield Check(
        SEMANTIC, "saving claimed within 1% of direct invoice - this one", abs(claimed - less) * 100 <= less, found
    )


KINDS = {"observe": _observed, "save": _saved, SEMANTIC: _by_meaning}


def unlike_answers(run: Run, direct: Run) -> list[str]:
    """What the scorer says otherwise of the same items."""
    before: dict[str, Figures] = {"all": direct.score.all, **direct.score.features}
    after: dict[str, Figures] = {"all": run.score.all, **run.score.features}
    return [
        f"{name} {what}: direct {getattr(before[name], what)}, here {getattr(after[name], what)}"
        for name in before
        for what in ANSWERS
        if getattr(before[name], what) != getattr(after[name], what)
    ]


def served_of(run: Run) -> Served:
    """By the scorer's verdicts."""
    total = run.score.all
    reasons = {why: n for why, n in run.score.wrong_from_cache_by_reason.items() if why != OTHER_CLASS}
    uncacheable = sum(reasons.values())
    other = total.wrong_from_cache - uncacheable
    return Served(
        total.from_cache, other, uncacheable, reasons, wilson(uncacheable, total.from_cache), total.tenant_leaks
    )
