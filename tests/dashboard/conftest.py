"""A month of a made-up company as ledger records, books in memory that sum it, and a dashboard on top."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median_low

import msgspec
import pytest

from farthing.dashboard.app import Dashboard
from farthing.dashboard.detail import line
from farthing.dashboard.reading import Figures, Point, Reading, Record
from farthing.ledger.records import Call, Settled, Shape
from farthing.types import TOKEN_CLASSES, Caller, Usage

NOW = 1_795_635_000.0
DAY = 86_400
PRICES = {  # nano-dollars a token, made up: input, cached input, output
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
        shape=Shape(key=f"chat:{abs(hash_(system)):x}" if system else "chat:~", head=tuple(question.split()[:4]), title=system or "free questions", example=question),
    )  # fmt: skip


def _user(rng: random.Random) -> str | None:
    """A few users make most of the requests."""
    place = min(int(rng.paretovariate(0.9)), 60)
    return (
        None if place == 60 else f"{NAMES[(place - 1) % len(NAMES)]}{place if place > len(NAMES) else ''}@shop.example"
    )


NAMES = ("ada", "grace", "alan", "edsger", "barbara", "donald", "frances", "john", "radia", "leslie", "tim", "shafi")


def hash_(words: str) -> int:
    """The same in every process."""
    return sum((index + 1) * ord(letter) for index, letter in enumerate(words))


KEYS: dict[str, Callable[[Settled], object]] = {
    "model": lambda one: one.model,
    "feature": lambda one: one.caller.feature,
    "user": lambda one: one.caller.user,
    "tenant": lambda one: one.caller.tenant,
    "provider": lambda one: one.provider,
    "query_type": lambda one: one.shape.title if one.shape else None,
    "day": lambda one: int(one.ts) // DAY * DAY,
    "hour": lambda one: int(one.ts) // 3_600 * 3_600,
}


class MemoryBooks:
    """The plainest books: a list, summed anew each time."""

    def __init__(self, records: Iterable[Settled] = ()) -> None:
        self.records = sorted(records, key=lambda one: one.ts)
        self.asked: list[tuple[object, ...]] = []

    def read(self, since: float | None, until: float, tenant: str | None) -> Reading | None:
        self.asked.append((since, until, tenant))
        if not self.records:
            return None
        found = self._within(since, until, tenant)
        bucket = 3_600 if until - min((one.ts for one in found), default=until) <= 2 * DAY else DAY
        levers = {name: (0, 0) for one in found for name, _ in (*one.saved, *one.would_save)}
        for one in found:
            for place, pairs in enumerate((one.saved, one.would_save)):
                for name, amount in pairs:
                    sums = levers[name]
                    levers[name] = (sums[0] + amount, sums[1]) if place == 0 else (sums[0], sums[1] + amount)
        return Reading(
            total=_figures(None, found),
            **{f"{name}s": _by(found, KEYS[name]) for name in ("feature", "model", "user", "query_type")},
            points=tuple(
                Point(at, key, row.cost, row.saved)
                for at, ones in _grouped(found, lambda one: int(one.ts) // bucket * bucket).items()
                for key, row in ((row.key, row) for row in _by(ones, KEYS["feature"]))
            ),
            bucket=bucket,
            levers=tuple((name, *sums) for name, sums in levers.items()),
            tenants=tuple(sorted({one.caller.tenant for one in self.records})),
            lines=tuple(line(one) for one in reversed(found[-50:])),
            examples={one.shape.title: one.shape.example for one in found if one.shape},
        )

    def record(self, request_id: str) -> Record | None:
        found = next((one for one in self.records if one.id == request_id), None)
        return found and Record(found, found.shape.title if found.shape else None)

    def report(self, by: str | None, since: float | None, until: float | None, tenant: str | None) -> object:
        self.asked.append((by, since, until, tenant))
        found = self._within(since, until, tenant)
        rows = [] if by is None or by == "lever" else _grouped(found, KEYS[by]).items()
        return {"total": _sums(found), "rows": [{"key": key, **_sums(ones)} for key, ones in rows]}

    def requests(self, limit: int) -> object:
        self.asked.append((limit,))
        return [_plain(one) for one in reversed(self.records[-limit:])]

    def request(self, request_id: str) -> object | None:
        found = self.record(request_id)
        return found and _plain(found.settled)

    def _within(self, since: float | None, until: float | None, tenant: str | None) -> list[Settled]:
        return [
            one
            for one in self.records
            if (since or 0) <= one.ts < (until or math.inf) and tenant in {None, one.caller.tenant}
        ]


def _grouped(records: Iterable[Settled], key: Callable[[Settled], object]) -> dict[object, list[Settled]]:
    groups: dict[object, list[Settled]] = {}
    for one in records:
        groups.setdefault(key(one), []).append(one)
    return groups


def _by(records: Iterable[Settled], key: Callable[[Settled], object]) -> tuple[Figures, ...]:
    return tuple(_figures(name, ones) for name, ones in _grouped(records, key).items())


def _figures(key: object, ones: Sequence[Settled]) -> Figures:
    states = [one.would_cache or one.cache for one in ones]
    sources = [call.cost_source for one in ones for call in one.calls]
    usages = [call.usage for one in ones for call in one.calls if call.usage]
    costs = [one.cost_nano for one in ones if one.cost_nano is not None]
    return Figures(
        key=None if key is None else str(key),
        cost=sum(costs),
        baseline=sum(one.baseline_nano or 0 for one in ones),
        saved=sum(amount for one in ones for _, amount in one.saved),
        would_save=sum(amount for one in ones for _, amount in one.would_save),
        requests=len(ones),
        hits=states.count("exact"),
        misses=states.count("miss"),
        unpriced=sources.count("unpriced"),
        unsettled=sources.count("unsettled"),
        estimated=sources.count("estimated"),
        usage=Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in TOKEN_CLASSES}),
        median=median_low(costs) if costs else None,
    )


def _sums(ones: Sequence[Settled]) -> dict[str, object]:
    sums = _figures(None, ones)
    return {
        "requests": sums.requests,
        "provider_calls": sum(len(one.calls) for one in ones),
        "cost_nano_usd": sums.cost,
        "baseline_nano_usd": sums.baseline,
        "saved_nano_usd": sums.saved,
        "unpriced_calls": sums.unpriced,
        "unsettled_calls": sums.unsettled,
        "tokens": {name: getattr(sums.usage, name) for name in TOKEN_CLASSES},
    }


def _plain(one: Settled) -> dict[str, object]:
    return {
        "id": one.id,
        "ts": one.ts,
        "tenant": one.caller.tenant,
        "user": one.caller.user,
        "feature": one.caller.feature,
        "model": one.model,
        "status": one.status,
        "cache": one.cache,
        "cost_nano_usd": one.cost_nano,
        "baseline_nano_usd": one.baseline_nano,
        "calls": [msgspec.to_builtins(call) for call in one.calls],
    }


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> object:
        return msgspec.json.decode(self.body)


Ask = Callable[..., "object"]


@pytest.fixture
def memory() -> type[MemoryBooks]:
    return MemoryBooks


@pytest.fixture
def a_month() -> Callable[..., Iterator[Settled]]:
    return month


@pytest.fixture
def ask() -> Ask:
    """One request to a dashboard without a server: ``await ask(dashboard, path, headers=…)``."""

    async def ask(dashboard: Dashboard, target: str, *, method: str = "GET", **headers: str) -> Answer:
        path, _, query = target.partition("?")
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            raise AssertionError("the dashboard reads no body")

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        given = [(name.encode(), value.encode()) for name, value in {"host": "localhost:8321", **headers}.items()]
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": given}
        await dashboard({**scope, "scheme": "http"}, receive, send)
        start, body = sent
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, body["body"])

    return ask


@pytest.fixture
def dashboard() -> Callable[..., Dashboard]:
    def build(books: object, *, mode: str = "save", authorise=lambda _: True, hosts: tuple[str, ...] = ()) -> Dashboard:
        return Dashboard(books, lambda: NOW, authorise=authorise, allowed_hosts=hosts, mode=mode)

    return build
