"""A month of a made-up company as ledger records, for the page to show. Prices are made up too: $ per million tokens."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from farthing.ledger.records import Call, Settled, Shape
from farthing.types import Caller, Usage

NOW = 1_795_586_400.0
DAY = 86_400
PRICES = {  # input, cached input, output
    "gpt-4o": (2_500, 1_250, 10_000),
    "gpt-4o-mini": (150, 75, 600),
    "claude-3-5-sonnet-20241022": (3_000, 300, 15_000),
}
FEATURES = [  # feature, weight, model, input and output tokens, share that repeats, system prompt, question
    ("support chat", 30, "gpt-4o", 3_400, 260, 0.45, "You are the support agent of a web shop", "My order 1182 has not arrived. Where is it?"),
    ("document summary", 9, "claude-3-5-sonnet-20241022", 9_200, 480, 0.12, "Summarise the document for a busy reader", "Annual report 2025. Dear shareholders, the past year"),
    ("search answers", 22, "gpt-4o", 1_900, 190, 0.38, "Answer with the passages below only", "What is the notice period for a tenant?"),
    ("email drafts", 11, "gpt-4o-mini", 800, 320, 0.1, "Write a polite e-mail in our house style", "Tell the caterer that we are forty, not thirty"),
    ("code review", 6, "claude-3-5-sonnet-20241022", 5_100, 640, 0.02, "Review the diff; name bugs, not taste", "diff --git a/cart.py b/cart.py"),
    ("ticket labels", 18, "gpt-4o-mini", 420, 6, 0.5, "Classify the ticket: billing, bug, other", "I was charged twice in May"),
    (None, 4, "gpt-4o-mini", 600, 150, 0.0, "", "What is the capital of Australia?"),
]  # fmt: skip


def month(*, observe: bool = False, per_day: int = 60, tenants: tuple[str, ...] = ("default",)) -> Iterator[Settled]:
    """Requests of thirty days up to ``NOW``, oldest first; quieter at night and on weekends, growing."""
    rng = random.Random(1956)  # the last year in which a farthing was minted
    number = 0
    for hour in range(30 * 24, 0, -1):
        start = NOW - hour * 3_600
        busy = 1 + math.sin((start / 3_600 % 24 - 8) / 24 * 2 * math.pi)
        weekend = 0.45 if int(start // DAY + 4) % 7 in {0, 6} else 1.0
        growth = 1.3 - hour / 2_400
        for _ in range(round(per_day / 24 * busy * weekend * growth * rng.uniform(0.7, 1.3))):
            number += 1
            yield _request(rng, number, start + rng.uniform(0, 3_599), observe=observe, tenants=tenants)


def _request(rng: random.Random, number: int, ts: float, *, observe: bool, tenants: tuple[str, ...]) -> Settled:
    chosen = rng.choices(FEATURES, [feature[1] for feature in FEATURES])[0]
    feature, _, model, prompt, output, repeats, system, question = chosen
    scale = rng.lognormvariate(0, 0.35)
    cached = int(prompt * scale * 0.5) if prompt > 2_000 and rng.random() < 0.4 else 0
    usage = Usage(input=max(20, int(prompt * scale) - cached), cache_read=cached, output=max(2, int(output * scale)))
    fresh, read, out = PRICES[model]
    cost = usage.input * fresh + usage.cache_read * read + usage.output * out
    repeated, failed = rng.random() < repeats, rng.random() < 0.006
    hit = repeated and not failed and not observe
    call = Call(
        id=f"call-{number:06d}",
        provider="anthropic" if model.startswith("claude") else "openai",
        model=model,
        started=ts,
        model_reported=model,
        status=429 if failed else 200,
        error="rate_limit_error" if failed else None,
        usage=None if failed else usage,
        raw_usage=None if failed else f'{{"prompt_tokens":{usage.prompt_tokens},"completion_tokens":{usage.output}}}',
        cost_nano=0 if failed else cost,
        cost_source="free" if failed else "usage",
        price_version=f"made-up 1 {model}",
        latency_us=rng.randint(400_000, 4_000_000),
        ttft_us=rng.randint(150_000, 400_000),
    )
    spent = 0 if hit or failed else cost
    return Settled(
        id=f"fr_{number:06d}",
        ts=ts,
        caller=Caller(tenant=rng.choice(tenants), user=_user(rng), feature=feature, session=f"s{number // 7}"),
        wire="anthropic.messages" if model.startswith("claude") else "openai.chat",
        path="/v1/messages" if model.startswith("claude") else "/v1/chat/completions",
        provider=call.provider,
        model=model,
        stream=rng.random() < 0.6,
        status=call.status,
        error=call.error,
        cache="off" if observe or feature == "code review" else "exact" if hit else "miss",
        would_cache=("exact" if repeated else "miss") if observe else None,
        calls=() if hit else (call,),
        cost_nano=spent,
        baseline_nano=0 if failed else cost,
        saved=(("exact", cost),) if hit else (),
        would_save=(("exact", cost),) if observe and repeated and not failed else (),
        latency_us=rng.randint(900, 2_000) if hit else call.latency_us,
        overhead_us=rng.randint(250, 600),
        shape=Shape(key=f"chat:{abs(hash_(system)):x}" if system else "chat:~", head=tuple(question.split()[:4]), title=system, example=question),
    )  # fmt: skip


def _user(rng: random.Random) -> str | None:
    """A few users make most of the requests."""
    place = min(int(rng.paretovariate(0.9)), 60)
    return None if place == 60 else f"{NAMES[place % len(NAMES)]}{place if place > len(NAMES) else ''}@shop.example"


NAMES = ("ada", "grace", "alan", "edsger", "barbara", "donald", "frances", "john", "radia", "leslie", "tim", "shafi")


def hash_(words: str) -> int:
    """The same in every process."""
    return sum((index + 1) * ord(letter) for index, letter in enumerate(words))
