"""How amounts, shares and times read. Pure; ``None`` reads as a dash, never as 0."""

from __future__ import annotations

from datetime import UTC, datetime

from farthing.money import NANO, divide_half_even

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def dollars(amount: int | None) -> str:
    """Nano-dollars for reading: cents from one dollar up, three significant digits below.

    >>> dollars(1_234_567_000_000), dollars(123_456_789), dollars(250), dollars(0)
    ('$1,234.57', '$0.123', '$0.00000025', '$0.00')
    """
    if amount is None:
        return UNKNOWN
    size = abs(amount)
    sign = MINUS if amount < 0 else ""
    # Of nine decimals the first that is not 0 is number 10 - len(size); two more make three significant digits.
    places = 2 if size >= NANO or not size else min(9, 12 - len(str(size)))
    return f"{sign}${_decimal(size, places)}"


def axis_dollars(amount: int, step: int) -> str:
    """A tick of an axis, with the digits that its ``step`` (nano-dollars) needs.

    >>> axis_dollars(10_000 * NANO, 5_000 * NANO), axis_dollars(NANO // 2, NANO // 10), axis_dollars(0, NANO)
    ('$10k', '$0.50', '$0')
    """
    if not amount:
        return "$0"
    for scale, unit in ((1_000_000 * NANO, "M"), (1_000 * NANO, "k")):
        if step >= scale and step % scale == 0:
            return f"${amount // scale:,}{unit}"
    digits = str(step)
    places = 9 - (len(digits) - len(digits.rstrip("0")))
    return f"${_decimal(amount, max(places, 2) if places > 0 else 0)}"


def _decimal(amount: int, places: int) -> str:
    """Non-negative nano-dollars, rounded half to even to ``places``; zeros behind the cents are left out."""
    unit = 10**places
    whole, rest = divmod(divide_half_even(amount, NANO // unit), unit)
    if not places:
        return f"{whole:,}"
    fraction = f"{rest:0{places}d}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{fraction}"


def share(part: int | None, whole: int | None) -> str:
    """``part`` of ``whole`` in percent; a dash if there is no whole.

    >>> share(1, 3), share(0, 5), share(1, 100_000)
    ('33.3%', '0%', '<0.1%')
    """
    if part is None or not whole:
        return UNKNOWN
    permille = divide_half_even(abs(part) * 1000, abs(whole))
    if not permille:
        return "<0.1%" if part else "0%"
    sign = MINUS if (part < 0) != (whole < 0) else ""
    whole_percent, tenth = divmod(permille, 10)
    return f"{sign}{whole_percent}.{tenth}%" if tenth else f"{sign}{whole_percent}%"


def count(number: int | None) -> str:
    """``12,345``."""
    return UNKNOWN if number is None else f"{number:,}"


def duration(micro: int | None) -> str:
    """Microseconds as ``850 µs``, ``12 ms`` or ``1.3 s``."""
    if micro is None:
        return UNKNOWN
    if micro < 1_000:
        return f"{micro} µs"
    return f"{micro / 1_000:.0f} ms" if micro < 1_000_000 else f"{micro / 1_000_000:.1f} s"


def moment(ts: float) -> str:
    """Seconds since the epoch as ``12 Nov 14:03:22`` (UTC)."""
    at = datetime.fromtimestamp(ts, UTC)
    return f"{at.day} {at:%b %H:%M:%S}"


def iso(ts: float) -> str:
    """Seconds since the epoch as ``2026-11-12T14:03:22Z``."""
    return f"{datetime.fromtimestamp(ts, UTC):%Y-%m-%dT%H:%M:%SZ}"


def day(ts: float) -> str:
    """``12 Nov`` (UTC)."""
    at = datetime.fromtimestamp(ts, UTC)
    return f"{at.day} {at:%b}"


def hour(ts: float) -> str:
    """``14:00`` (UTC)."""
    return f"{datetime.fromtimestamp(ts, UTC):%H:%M}"
