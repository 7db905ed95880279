"""What is sent, and what goes wrong meanwhile. Follows from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

from stand.asking import PATHS, body_of, headers_of

CALM = "gpt-4.1-mini"
"""The model of the probes: no fault ever strikes it."""
CHAT, ANSWERS, CLAUDE = "gpt-4o-mini", "gpt-4o", "claude-3-5-haiku-20241022"
FAULTY = (CHAT, ANSWERS, CLAUDE)
MODELS = {"chat": CHAT, "responses": ANSWERS, "messages": CLAUDE}
USUAL = {"ttft_ms": 20, "ms_per_token": 1}
QUIET = {
    "p_error": 0, "p_overloaded": 0, "p_reset": 0, "p_drop": 0, "p_stream_error": 0, "p_stall": 0, "stall_s": 0.3,
    "malformed_json": False, "wrong_content_length": False, "usage_twice": False, "no_usage": False,
}  # fmt: skip
PHASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("calm", {}),
    ("errors", {"p_error": 0.05, "p_overloaded": 0.05}),
    ("breaks", {"p_reset": 0.05, "p_drop": 0.1, "p_stream_error": 0.05}),
    ("stalls", {"p_stall": 0.2, "ttft_ms": 150}),
    ("garbage", {"malformed_json": True}),
    ("short", {"wrong_content_length": True, "usage_twice": True}),
)
"""One after the other, round and round; a window of the measurements is one whole round."""

Wish = Literal["whole", "leave_early", "leave_in_stream"]
OPENINGS = ("Explain", "Describe", "Summarise", "Compare", "List the parts of", "Outline")
TOPICS = (
    "a ledger", "a bicycle brake", "tidal power", "a heat pump", "contract law", "glass blowing", "sorting algorithms",
    "bread ovens", "a steam engine", "soil drainage", "signal flags", "a loom", "map projections", "tax brackets",
)  # fmt: skip
TENANTS = ("acme", "birch", "cobalt", "dune", "ember")
REPEATED = 60


@dataclass(frozen=True)
class Send:
    """One request, and what its client does with the reply."""

    wire: str
    body: bytes
    headers: dict[str, str]
    stream: bool
    wish: Wish = "whole"
    bad: bool = False
    """It is to be refused."""

    @property
    def path(self) -> str:
        return PATHS.get(self.wire, "/v1/embeddings")


class Traffic:
    """An endless mix: both wires, whole and streamed, new questions and repeats, clients that leave, bad requests."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._number = 0

    def gap_s(self, rate: float) -> float:
        """Until the next request: they come independently."""
        return self._dice.expovariate(rate)

    def next(self) -> Send:
        dice, self._number = self._dice, self._number + 1
        roll, wire, stream = dice.random(), dice.choice(("chat", "chat", "responses", "messages")), dice.random() < 0.5
        if roll < 0.02:
            return self._bad(wire)
        if roll < 0.06:
            return self._made("embeddings", f"{dice.choice(TOPICS)} {self._number}", stream=False)
        if roll < 0.26:
            return self._made(wire, _asked(dice.randrange(REPEATED)), stream=stream)
        text = f"{dice.choice(OPENINGS)} {dice.choice(TOPICS)} in {dice.randrange(3, 9)} points, case {self._number}."
        wish: Wish = "whole" if roll < 0.88 else "leave_early" if roll < 0.92 else "leave_in_stream"
        return self._made(wire, text, stream=stream or wish == "leave_in_stream", wish=wish)

    def _made(self, wire: str, text: str, *, stream: bool, wish: Wish = "whole") -> Send:
        body = body_of(wire, MODELS.get(wire, ""), text, stream=stream)
        return Send(wire, body, headers_of(wire, self._dice.choice(TENANTS), self._dice.randrange(200)), stream, wish)

    def _bad(self, wire: str) -> Send:
        body = self._dice.choice((b"{not json", body_of(wire, "no-such-model", "Hello?", stream=False)))
        return Send(wire, body, headers_of(wire, "acme", 0), stream=False, bad=True)


def _asked(number: int) -> str:
    return f"{OPENINGS[number % len(OPENINGS)]} {TOPICS[number % len(TOPICS)]} for visitors of group {number}."


def control(phase: int) -> dict[str, Any]:
    """What the simulator is told when a phase begins."""
    faults = {**QUIET, **USUAL, **PHASES[phase % len(PHASES)][1]}
    return {"faults": {**dict.fromkeys(FAULTY, faults), CALM: USUAL}}
