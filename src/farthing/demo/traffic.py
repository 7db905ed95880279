"""A month of a fictitious company's traffic, compressed. Pure: sample, seed and time decide it all."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import accumulate

import msgspec

from farthing.demo.bodies import MESSAGES, Step
from farthing.demo.features import Feature, features, popular
from farthing.demo.sample import Sample

DAYS = 30
_HOURS = DAYS * 24
_NAMES = (
    "mara jonas ines tobias aino luca petra samir greta oskar nadia felix irena matteo sofie "
    "henrik leila bruno carla anton"
)


class DemoRequest(msgspec.Struct, frozen=True):
    """One request. ``ts`` is when it would have been sent: seconds since the epoch."""

    ts: float
    wire: str
    """``openai`` or ``anthropic``."""
    path: str
    body: bytes
    headers: dict[str, str]


def make_traffic(sample: Sample, seed: int, now: float, requests: int = 1_800) -> list[DemoRequest]:
    """So many requests of the thirty days before ``now``, in order of time.

    Ten features of three tenants with twenty users each, day and night, streams and not; every request carries
    ``x-sim-ts`` and says who asks in ``x-farthing-*`` headers.
    """
    found: list[DemoRequest] = []
    for feature in features(sample):
        dice = random.Random(f"{seed}:{feature.name}")  # noqa: S311 - a demo
        found += _of_feature(feature, dice, now, max(1, round(feature.share * requests)))
    return sorted(found, key=lambda request: request.ts)


def _of_feature(feature: Feature, dice: random.Random, now: float, count: int) -> list[DemoRequest]:
    hours = list(accumulate(_busy(now - (_HOURS - hour) * 3600) for hour in range(_HOURS)))
    users = [feature.service] if feature.service else [f"{name}.{feature.tenant}" for name in _NAMES.split()]
    found: list[DemoRequest] = []
    while len(found) < count:
        hour = dice.choices(range(_HOURS), cum_weights=hours)[0]
        ts = now - (_HOURS - hour - dice.random()) * 3600
        steps = feature.visits(dice, ts)[: count - len(found)]
        ts = min(ts, now - sum(step.gap for step in steps))
        session = f"{feature.name}-{dice.randrange(16**8):08x}" if len(steps) > 1 and not feature.service else None
        user = popular(dice, users)
        for step in steps:
            ts += step.gap
            found.append(_request(feature, user, session, step, ts))
    return found


def _busy(ts: float) -> float:
    """How much goes on in an hour, against the busiest: quiet nights, slow weekends."""
    at = datetime.fromtimestamp(ts, UTC)
    by_day = 1.0 if at.weekday() < 5 else 0.35
    if 8 <= at.hour < 18:
        return by_day
    return by_day * (0.4 if 6 <= at.hour < 22 else 0.06)


def _request(feature: Feature, user: str, session: str | None, step: Step, ts: float) -> DemoRequest:
    wire = "anthropic" if step.path == MESSAGES else "openai"
    key = {"x-api-key": "sk-sim", "anthropic-version": "2023-06-01"}
    headers = key if wire == "anthropic" else {"authorization": "Bearer sk-sim"}
    headers |= {
        "content-type": "application/json",
        "x-farthing-tenant": feature.tenant,
        "x-farthing-feature": feature.name,
        "x-farthing-user": user,
        "x-sim-ts": f"{ts:.3f}",
    }
    if session:
        headers["x-farthing-session"] = session
    return DemoRequest(ts, wire, step.path, msgspec.json.encode(step.body), headers)
