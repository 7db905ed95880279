"""Traffic whose matches become better and worse: does the promise on wrong answers of served ones hold?"""

from __future__ import annotations

import random
from math import exp
from typing import Any

import msgspec

from farthing.levers.recall.semantic.bounds import clopper_pearson
from farthing.levers.recall.semantic.decide import by_evidence
from farthing.levers.recall.semantic.evidence import LEVELS, Evidence, judged, level, served_from

REQUESTS = 20_000
JUDGED = 0.2
"""Of the candidates, served or not."""
DOUBT = 0.05


class Stream(msgspec.Struct):
    served: int = 0
    wrong: int = 0
    alarms: int = 0


def simulate(max_error: float, streams: int) -> dict[str, Any]:
    """Seeds 0, 1, … A stream fails if more of what it served was wrong than promised."""
    runs = [run(random.Random(seed), max_error) for seed in range(streams)]
    kept = sum(each.wrong <= max_error * each.served for each in runs)
    low, _ = clopper_pearson(streams - kept, streams)
    served = sum(each.served for each in runs)
    return {
        "streams": streams,
        "requests": REQUESTS,
        "max_error": max_error,
        "kept": kept / streams,
        "failed_at_least_95": round(low, 4),
        "serving_streams": sum(each.served > 0 for each in runs),
        "served": round(served / streams / REQUESTS, 4),
        "wrong_of_served": round(sum(each.wrong for each in runs) / max(1, served), 5),
        "alarms": sum(each.alarms for each in runs),
    }


def run(draw: random.Random, max_error: float) -> Stream:
    """Half of the streams jump once, the others wander; a match of strength s is right by a logistic curve of s."""
    found, evidence = Stream(), Evidence()
    middle, steep, jumps = draw.uniform(0.55, 0.85), draw.uniform(20, 60), draw.random() < 0.5
    when, how_far, allowed = draw.randrange(REQUESTS), draw.uniform(-0.05, 0.1), None
    for number in range(REQUESTS):
        if jumps:
            middle += how_far * (number == when)
        else:
            middle = min(0.9, max(0.5, middle + draw.gauss(0, 0.0005)))
        strong = draw.uniform(LEVELS[-1] - 0.05, 1.0)
        at, right = level(strong), draw.random() < 1 / (1 + exp(-steep * (strong - middle)))
        served = by_evidence(at, None, allowed) == "serve"
        found.served += served
        found.wrong += served and not right
        if at is not None and draw.random() < JUDGED:
            evidence = judged(evidence, at, right=right, served=served)
            allowed = served_from(evidence, max_error, DOUBT)
    found.alarms = evidence.alarms
    return found
