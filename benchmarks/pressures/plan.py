"""What is tried: settings, trouble, and when which request comes. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from soaks.traffic import CHAT, CLAUDE

Wire = Literal["chat", "messages"]
WIRES: tuple[Wire, ...] = ("chat", "messages")
ASKED: dict[Wire, str] = {"chat": CHAT, "messages": CLAUDE}
"""The model that every request asks for."""
OWNERS: dict[Wire, str] = {"chat": "openai", "messages": "anthropic"}
Trouble = Literal["limited", "killed", "silent", "errors"]
DEADLINE_S, SILENCE_S = 20.0, 2.0
LIMITED_TO = 0.5
"""Of what is offered."""
FILLED = 0.9
"""Offered on average, of the limit, where there is no way but to wait."""
BURST_S, EVERY_S = 4.0, 10.0
BASE = f"""
mode = "save"
[cache]
exact = false
[server]
read_timeout = "SILENCE"
[retries]
deadline = "{DEADLINE_S:g}s"
[providers.openai]
base_url = "MAIN/v1"
api_key_env = "PRESSURE_KEY"
[providers.anthropic]
base_url = "MAIN"
kind = "anthropic"
api_key_env = "PRESSURE_KEY"
[providers.spare]
base_url = "SPARE/v1"
api_key_env = "PRESSURE_KEY"
[providers.spare_claude]
base_url = "SPARE"
kind = "anthropic"
api_key_env = "PRESSURE_KEY"
"""
FALLBACK = f"""
[fallback]
"{CHAT}" = ["spare/{CHAT}"]
"{CLAUDE}" = ["spare_claude/{CLAUDE}"]
"""
TIER = f"""
[tiers]
simple = ["{CHAT}", "gpt-4.1-mini"]
moderate = ["{CLAUDE}", "claude-haiku-4-5-20251001"]
"""


@dataclass(frozen=True)
class Plan:
    """One run."""

    name: str
    what: str
    trouble: Trouble
    more: str = FALLBACK
    """Settings besides the usual ones."""
    in_bursts: bool = False

    def settings(self, main: str, spare: str) -> str:
        """``farthing.toml`` with these addresses."""
        silence = f"{SILENCE_S if self.trouble == 'silent' else DEADLINE_S:g}s"
        return (BASE + self.more).replace("MAIN", main).replace("SPARE", spare).replace("SILENCE", silence)

    def rpm(self, rate: float) -> int:
        """The limit of each of the two models, if ``rate`` requests a second are offered to both together."""
        each = rate / len(WIRES)
        return round(60 * each * (1 / FILLED if self.in_bursts else LIMITED_TO))


PLANS = (
    Plan("fallback", "limited to half the load; a fallback at another provider", "limited"),
    Plan("tier", "limited to half the load; another model of the tier", "limited", TIER),
    Plan("queue", f"bursts that fill {FILLED:.0%} of the limit on average; no fallback", "limited", "", in_bursts=True),
    Plan("killed", "the provider's process is killed, and started again", "killed"),
    Plan("silent", f"the provider takes requests and says nothing (read_timeout {SILENCE_S:g} s)", "silent"),
    Plan("errors", "the provider answers everything with 500, 503 or 529", "errors"),
)


class Times(NamedTuple):
    """Of one run, in seconds from its beginning. A limit is there all the time; other trouble between two of them."""

    settled: float
    begins: float
    ends: float
    total: float

    @classmethod
    def of(cls, minutes: float) -> Times:
        """Three minutes: the first to settle; or trouble for one, after half of one."""
        total = minutes * 60
        return cls(total / 3, total / 6, total / 2, total)


class Ask(NamedTuple):
    """A request to come, at so many seconds from the beginning."""

    at: float
    wire: Wire
    stream: bool


def asks(plan: Plan, rate: float, seconds: float, seed: int) -> Iterator[Ask]:
    """Clients come independently of one another (a Poisson process), half to each wire, half for streams."""
    dice, at = random.Random(f"{plan.name} {seed}"), 0.0
    fast = rate * EVERY_S / BURST_S if plan.in_bursts else rate
    while (at := _awake(at + dice.expovariate(fast), plan)) < seconds:
        yield Ask(at, dice.choice(WIRES), dice.random() < 0.5)


def _awake(at: float, plan: Plan) -> float:
    """Between bursts nobody comes: what would, comes in the next."""
    past = at % EVERY_S
    return at if not plan.in_bursts or past < BURST_S else at - past + EVERY_S + past - BURST_S
