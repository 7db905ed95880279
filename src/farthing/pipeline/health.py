"""What ``/readyz`` says, each in a line: pure functions of what was found."""

from __future__ import annotations

from farthing.ledger.journal import Health
from farthing.ledger.pulse import Pulse

SILENT_S = 60.0
"""A keeper that dies is started again within a second; one that does nothing for so long will not by itself."""
BEHIND_BYTES = 1 << 30
"""The keeper enters tens of thousands of requests a second: so much waits only where it cannot keep up at all."""


def journal_problem(health: Health) -> str | None:
    """Whether what ends can be written down."""
    if health.ok:
        return None
    lost = f", {health.lost} are lost" if health.lost else ""
    return f"the journal cannot be written: {health.error}; {health.pending} entries wait{lost}"


def keeper_problem(last: Pulse | None, since: float, now: float) -> str | None:
    """Whether what is written down gets into the ledger. ``since``: when this process began; before that nobody had
    to be there. Times are seconds since the epoch.
    """
    silent = now - max(since, last.at if last else since)
    if silent > SILENT_S:
        why = f" ({last.problem})" if last and last.problem else ""
        return f"the keeper of the ledger has done nothing for {silent:.0f} s{why}; the journal keeps everything"
    if last is not None and last.at >= since and last.behind > BEHIND_BYTES:
        return f"the keeper of the ledger is {last.behind / 1e6:,.0f} MB of the journal behind, and keeps everything"
    return None
