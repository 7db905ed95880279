"""From what was seen to figures, a verdict, and lines over time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from stand.books import Books, compare
from stand.verdict import Check, percentile

from pressures.load import Sent
from pressures.plan import DEADLINE_S, SILENCE_S, WIRES, Wire
from pressures.running import REFUSED, Attempt, Seen

LEAST_OK, MOST_429, LEAST_USED = 0.999, 0.01, 0.9
AGAIN_S, BACK = 5.0, 0.95
"""Within so many seconds of a recovery so much of the load is back."""
WINDOW_S, STEP_S = 1.0, 0.05
REPLY_S = 1.0
"""How long a call may take that begins at the deadline."""
MOMENT_S = 0.1
"""Ledger and provider may differ by so much about when a call ended."""
Curve = list[tuple[float, float]]


def checks(seen: Seen) -> Iterator[Check]:
    """What has to hold of a run."""
    yield from _limited(seen) if seen.rpm else _down(seen)
    allowed = DEADLINE_S + (REPLY_S if seen.plan.trouble != "silent" else SILENCE_S)
    longest = max(one.waited_s for one in seen.sent)
    yield Check(f"nobody waits past the deadline ({DEADLINE_S:g} s)", longest <= allowed, f"{longest:.2f} s at most")
    yield from _books(seen)


def _limited(seen: Seen) -> Iterator[Check]:
    share = sum(one.ok for one in seen.sent) / len(seen.sent)
    failed = _failures(one for one in seen.sent if not one.ok)
    yield Check("at least 99.9% of requests succeed", share >= LEAST_OK, f"{share:.3%} of {len(seen.sent):,}{failed}")
    first, later = refused(seen)
    what = f"the limited provider: fewer than 1% 429s after the first {seen.times.settled:.0f} s"
    yield Check(what, _share(*later) < MOST_429, f"{_of(*later)}; before: {_of(*first)}")
    if not seen.plan.in_bursts:
        used = passed_per_minute(seen) / (seen.rpm * len(WIRES))
        yield Check("at least 90% of its limit is used", used >= LEAST_USED, f"{used:.1%} of {seen.rpm} rpm a model")


def _down(seen: Seen) -> Iterator[Check]:
    began = [one for one in seen.sent if one.broken]
    failed = [one for one in seen.sent if not one.ok and not one.broken]
    what = "no request that could still go elsewhere fails"
    yield Check(what, not failed, f"{len(failed)} of {len(seen.sent):,}{_failures(failed)}")
    ours = all(one.stream and one.at <= seen.down for one in began) and (not began or seen.plan.trouble == "killed")
    yield Check("broken off: only streams that were being read when it was killed", ours, f"{len(began)} streams")
    first, most = back(seen)
    what = f"within {AGAIN_S:g} s of the recovery {BACK:.0%} of the load is back"
    yield Check(what, most < AGAIN_S, f"first answer after {first:.2f} s, {BACK:.0%} after {most:.2f} s")


def _books(seen: Seen) -> Iterator[Check]:
    yield Check("requests sent = rows", len(seen.sent) == seen.requests, f"{len(seen.sent):,}, {seen.requests:,}")
    found = books(seen)
    both = f"{found.exact:,} calls, {found.exact_nano:,} nano-dollars on both sides"
    if seen.plan.trouble in {"limited", "errors"}:
        holds = not (found.unlike or found.inexact or found.orphans) and found.exact_nano == found.invoice_nano
        rest = f"ledger {found.exact_nano:,}, invoices {found.invoice_nano:,}; {found.unlike[:3]} {dict(found.inexact)}"
        yield Check("ledger = sum of both invoices, to the nano-dollar", holds, both if holds else rest)
        return
    rest = f"; not settled: {dict(found.inexact) or 'none'}" + "".join(f"; {one}" for one in found.unlike[:3])
    yield Check("ledger = invoices, every settled call", not found.unlike, both + rest)


def books(seen: Seen) -> Books:
    """The ledger against both invoices. What was answered in the moment of the kill is on no invoice any more."""
    known = {line.request_id for line in seen.billed}
    gone = {one.call for one in seen.attempts if _lost(seen, one, known)}
    return compare(seen.requests, [one.call for one in seen.attempts if one.call not in gone], seen.billed, set())


def _lost(seen: Seen, one: Attempt, known: Collection[str]) -> bool:
    near = one.asked and one.at <= seen.down and one.ended >= seen.copied - MOMENT_S
    return seen.plan.trouble == "killed" and near and one.call.request_id not in known


# ------------------------------------------------------------ figures


def refused(seen: Seen) -> tuple[tuple[int, int], tuple[int, int]]:
    """429s and calls of the limited models: before and after it had to have settled."""
    since = seen.begun + seen.times.settled
    asked = [one for one in seen.attempts if one.asked]
    parts = [one for one in asked if one.at < since], [one for one in asked if one.at >= since]
    first, later = [(sum(one.status == REFUSED for one in part), len(part)) for part in parts]
    return first, later


def passed_per_minute(seen: Seen) -> float:
    """Calls that the limited models took, after the first minute."""
    since, until = seen.begun + seen.times.settled, seen.begun + seen.times.total
    passed = sum(one.asked and one.status != REFUSED and since <= one.at < until for one in seen.attempts)
    return passed * 60 / (until - since)


def touched(seen: Seen) -> tuple[int, int]:
    """Calls to a provider that is down, and requests meanwhile."""
    calls = sum(one.asked and seen.down <= one.at < seen.up for one in seen.attempts)
    return calls, sum(seen.down <= one.at < seen.up for one in seen.sent)


def back(seen: Seen) -> tuple[float, float]:
    """Seconds from the recovery until the provider answers a request, and until most of the load is back with it: the
    beginning of the first second in which it answers 95% of what comes. Of the later wire.
    """
    first = max(_first(seen, wire) for wire in WIRES)
    return first, max(first, *(_most(seen, wire) for wire in WIRES))


def _first(seen: Seen, wire: Wire) -> float:
    ends = [one.at + one.waited_s for one in seen.sent if one.wire == wire and one.ok and not one.other]
    return min((end - seen.up for end in ends if end >= seen.up), default=float("inf"))


def _most(seen: Seen, wire: Wire) -> float:
    later = [one for one in seen.sent if one.wire == wire and one.at >= seen.up]
    end = seen.begun + seen.times.total - WINDOW_S
    for step in range(int(max(0.0, end - seen.up) / STEP_S)):
        since = seen.up + step * STEP_S
        within = [one.ok and not one.other for one in later if since <= one.at < since + WINDOW_S]
        if within and sum(within) >= BACK * len(within):
            return step * STEP_S
    return float("inf")


def figures(seen: Seen) -> dict[str, Any]:
    """What is worth knowing, for the table and the JSON."""
    waits = [one.waited_s * 1000 for one in seen.sent]
    found: dict[str, Any] = {
        "requests": len(seen.sent),
        "clients_late_s": round(seen.late_s, 3),
        "succeeded": sum(one.ok for one in seen.sent),
        "answered_by_another": sum(one.ok and one.other for one in seen.sent),
        "failed": dict(Counter(_outcome(one) for one in seen.sent if not one.ok)),
        "wait_ms": {name: round(percentile(waits, share), 1) for name, share in (("p50", 0.5), ("p99", 0.99))}
        | {"max": round(max(waits), 1)},
        "calls": dict(Counter(f"{'asked' if one.asked else 'other'} {one.status}" for one in seen.attempts)),
    }
    if seen.rpm:
        first, later = refused(seen)
        return found | {
            "limit_rpm": seen.rpm, "refused_first": first, "refused_later": later,
            "passed_per_minute": round(passed_per_minute(seen), 1),
        }  # fmt: skip
    first, most = back(seen)
    return found | {"touched": touched(seen), "first_answer_s": round(first, 3), "back_s": round(most, 3)}


def curves(seen: Seen, every_s: float) -> dict[str, Curve]:
    """A second's requests and calls, over the minutes of the run."""

    def rate(times: Iterable[float]) -> Curve:
        counts = Counter(int((at - seen.begun) / every_s) for at in times)
        return [(place * every_s / 60, counts[place] / every_s) for place in range(int(seen.times.total / every_s))]

    def sent(which: Callable[[Sent], bool]) -> Curve:
        return rate(one.at for one in seen.sent if which(one))

    return {
        "sent": sent(lambda _: True),
        "answered by the asked": sent(lambda one: one.ok and not one.other),
        "by another": sent(lambda one: one.ok and one.other),
        "failed, seen by clients": sent(lambda one: not one.ok),
        "failed calls, unseen": rate(one.at for one in seen.attempts if one.status != 200),
    }


def _outcome(one: Sent) -> str:
    return "broken off" if one.broken else str(one.status or "no answer")


def _failures(failed: Iterable[Sent]) -> str:
    every: Sequence[Sent] = list(failed)
    return f": {dict(Counter(map(_outcome, every)))}, as {every[0].problem[:200]}" if every else ""


def _share(some: int, every: int) -> float:
    return some / every if every else 0.0


def _of(some: int, every: int) -> str:
    return f"{_share(some, every):.2%} ({some:,} of {every:,})"
