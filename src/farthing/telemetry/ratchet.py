"""Counters that never go down, out of sums that may. Pure.

The ledger's sums are corrected: a request whose process died is taken out when its end turns up, a price is mended. To
Prometheus a counter that falls has begun again at 0, so that all of it would count once more. So what is shown grows by
what the sums of the last days have grown, and stands still where they shrank.

It also decides once for all which keys have a series of their own: the names of features and tenants come from
clients, and the number of series must not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

DAY = 86_400
KEPT = 3 * DAY
"""How long the sums of a day are looked at again, in seconds."""
OTHER = "_other"
"""The key of all keys that came too late for a series of their own."""
SIGNED = frozenset({"saved", "would_save"})
"""Measures that may fall by themselves: a lever may lose money. They are shown as gauges."""

Named = dict[str, int]
"""Measure → amount; what is not there is 0."""
Sums = dict[str, dict[str, Named]]
"""Dimension → key → measures."""


class State(msgspec.Struct, frozen=True):
    """``shown`` is what has been told; ``days`` what the sums of the last days were then, by their starts (seconds).

    ``since`` is the first day whose sums are looked at the next time.
    """

    shown: Sums
    days: dict[int, Sums]
    since: int


def advanced(state: State | None, days: Mapping[int, Sums], now: float, most: int) -> State:
    """The state after a look at ``days``: all from ``state.since`` on, or all there are if there is no state.

    At most ``most`` keys of a dimension have their own series, the first that came, or at the very first look those
    with the most requests. ``now``: seconds since the epoch.
    """
    before = state or State({}, {}, 0)
    own = _own_keys(before.shown, days, most)
    found = {start: {dim: _folded(its, own[dim]) for dim, its in sums.items()} for start, sums in days.items()}
    shown: Sums = {dim: {key: dict(named) for key, named in its.items()} for dim, its in before.shown.items()}
    for dim, keys in own.items():
        for key in (*keys, OTHER):
            _grow(shown, dim, key, _growth(before.days, found, dim, key))
    since = int((now - KEPT) // DAY * DAY)
    return State(shown, {start: sums for start, sums in found.items() if start >= since}, since)


def _own_keys(shown: Sums, days: Mapping[int, Sums], most: int) -> dict[str, list[str]]:
    """Dimension → the keys that have a series."""
    found: dict[str, dict[str, int]] = {dim: dict.fromkeys(its, 0) for dim, its in shown.items()}
    for sums in days.values():
        for dim, its in sums.items():
            counted = found.setdefault(dim, {})
            for key, named in its.items():
                counted[key] = counted.get(key, 0) + named.get("requests", 0)
    return {dim: _chosen(counted, shown.get(dim, {}), most) for dim, counted in found.items()}


def _chosen(counted: Mapping[str, int], known: Collection[str], most: int) -> list[str]:
    """All that are known, and of the others those with the most requests."""
    own = [key for key in known if key != OTHER]
    new = sorted(counted.keys() - {*known, OTHER}, key=lambda key: (-counted[key], key))
    return [*own, *new[: max(0, most - len(own))]]


def _folded(its: Mapping[str, Named], own: Collection[str]) -> dict[str, Named]:
    """With all keys that have no series of their own as one."""
    found: dict[str, Named] = {}
    for key, named in its.items():
        into = found.setdefault(key if key in own else OTHER, {})
        for name, amount in named.items():
            into[name] = into.get(name, 0) + amount
    return found


def _growth(before: Mapping[int, Sums], now: Mapping[int, Sums], dim: str, key: str) -> Named:
    """By how much a key's measures differ, all days together."""
    found: Named = {}
    for days, sign in ((now, 1), (before, -1)):
        for sums in days.values():
            for name, amount in sums.get(dim, {}).get(key, {}).items():
                found[name] = found.get(name, 0) + sign * amount
    return found


def _grow(shown: Sums, dim: str, key: str, growth: Named) -> None:
    if not growth:
        return
    into = shown.setdefault(dim, {}).setdefault(key, {})
    for name, amount in growth.items():
        if amount > 0 or name in SIGNED:
            into[name] = into.get(name, 0) + amount
