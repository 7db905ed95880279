"""What Larkspur uses models for: every feature makes visits, a visit is a few requests that belong together."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from farthing.demo.bodies import EMBEDDINGS, RESPONSES, Step, chat, claude, told
from farthing.demo.orders import order_visit
from farthing.demo.reviews import some_change
from farthing.demo.sample import Question, Sample, prompt
from farthing.simulator.words import words
from farthing.types import Turn

Visits = Callable[[random.Random, float], list[Step]]
"""Dice and the (virtual) time of the first request → the requests of one visit."""
_T = TypeVar("_T")

PERSONAL = words(
    "balance bill_balance bill_due transactions spending_history min_payment payday pay_bill transfer freeze_account "
    "report_fraud report_lost_card pin_change rewards_balance"
)
"""Intents of the assistant set that ask for one customer's account, or have something done."""
_CITIES = ("Bern", "Porto", "Graz", "Turku", "Gdansk", "Leeds")
_QUEUE_MATTERS = 77


class Feature(msgspec.Struct, frozen=True):
    """One use of models. ``share`` of all requests; ``service`` is the user of a machine's requests."""

    name: str
    tenant: str
    share: float
    visits: Visits
    service: str | None = None


def features(sample: Sample) -> tuple[Feature, ...]:
    """All of them; the shares add up to 1."""
    return (
        Feature("support-chat", "larkspur-bank", 0.34, _support(sample)),
        Feature("ticket-triage", "larkspur-bank", 0.14, _triage(sample), service="triage-job"),
        Feature("help-search", "larkspur-bank", 0.08, _search(sample)),
        Feature("voice-assistant", "larkspur-shop", 0.14, _voice(sample)),
        Feature("order-agent", "larkspur-shop", 0.11, order_visit(sample)),
        Feature("meeting-digest", "larkspur-labs", 0.04, _digest(sample)),
        Feature("math-tutor", "larkspur-labs", 0.06, _maths(sample)),
        Feature("study-quiz", "larkspur-labs", 0.03, _quiz(sample)),
        Feature("research-chat", "larkspur-labs", 0.03, _research(sample)),
        Feature("code-review", "larkspur-labs", 0.03, _review(), service="review-bot"),
    )


def popular(dice: random.Random, items: Sequence[_T], exponent: float = 1.0) -> _T:
    """One of the items; the n-th is drawn about 1/n as often as the first."""
    weights = [1 / (rank + 1) ** exponent for rank in range(len(items))]
    return dice.choices(items, weights)[0]


def _shuffled(questions: list[Question], seed: str) -> list[Question]:
    """In an order that has nothing to do with their intents: who is popular is drawn once."""
    return random.Random(seed).sample(questions, len(questions))  # noqa: S311 - a demo


def _support(sample: Sample) -> Visits:
    system = prompt("support")
    common = _shuffled(sample.of("banking77"), "support")
    personal = [question for question in sample.of("clinc150") if question.group in PERSONAL]

    def visit(dice: random.Random, _: float) -> list[Step]:
        turns: list[Turn] = []
        steps: list[Step] = []
        for at in range(dice.choices((1, 2, 3), (80, 15, 5))[0]):
            own = dice.random() < 0.12
            asked = dice.choice(personal) if own else popular(dice, common, 0.7)
            turns.append(Turn("user", asked.text))
            gap = dice.uniform(20, 120) if at else 0.0
            steps.append(chat("gpt-4o", system, turns, stream=dice.random() < 0.8, gap=gap, temperature=0))
            turns.append(told("gpt-4o-2024-08-06", turns))
        return steps

    return visit


def _triage(sample: Sample) -> Visits:
    questions = sample.of("banking77")
    matters = sorted({question.group for question in questions})[:_QUEUE_MATTERS]
    examples = [next(q.text for q in questions if q.group == matter) for matter in matters]
    lines = [f"- {matter}: such as “{text}”" for matter, text in zip(matters, examples, strict=True)]
    system = "\n".join([prompt("triage"), *lines])
    schema = {
        "type": "object",
        "properties": {
            "queue": {"type": "string", "enum": [*matters, "urgent_welfare", "no_action"]},
            "urgency": {"type": "string", "enum": ["low", "normal", "high"]},
            "summary": {"type": "string"},
        },
        "required": ["queue", "urgency", "summary"],
    }
    tool = {"name": "file_ticket", "description": "Files a ticket in its queue.", "input_schema": schema}

    def visit(dice: random.Random, _: float) -> list[Step]:
        steps: list[Step] = []
        for at in range(dice.randint(6, 18)):  # the job takes what has come in since its last run
            said = " ".join(question.text for question in dice.sample(questions, dice.randint(1, 3)))
            ticket = (
                f"Ticket {dice.randrange(10**6):06d}\n\n{said}\n\nSent from the app, customer {dice.randrange(10**5)}"
            )
            step = claude(
                "claude-3-5-sonnet-20241022",
                system,
                [{"role": "user", "content": ticket}],
                stream=False,
                gap=dice.uniform(1, 15) if at else 0.0,
                tools=[tool],
                tool_choice={"type": "tool", "name": "file_ticket"},
            )
            steps.append(step)
            if dice.random() < 0.06:  # the job timed out and asks again
                steps.append(msgspec.structs.replace(step, gap=30.0))
        return steps

    return visit


def _search(sample: Sample) -> Visits:
    questions = _shuffled(sample.of("banking77"), "search")

    def visit(dice: random.Random, _: float) -> list[Step]:
        return [Step(EMBEDDINGS, {"model": "text-embedding-3-small", "input": popular(dice, questions, 0.8).text})]

    return visit


def _voice(sample: Sample) -> Visits:
    questions = _shuffled(sample.of("clinc150"), "voice")

    def visit(dice: random.Random, ts: float) -> list[Step]:
        now = datetime.fromtimestamp(ts, UTC).strftime("%A %d %B %Y, %H:%M")
        system = (
            "You are the voice assistant of the Larkspur loudspeaker. Answer in one or two short sentences that can "
            f"be read aloud. It is {now}. The loudspeaker stands in {dice.choice(_CITIES)}."
        )
        turns = [Turn("user", popular(dice, questions, 0.7).text)]
        return [chat("gpt-4o-mini", system, turns, stream=True, max_tokens=120)]

    return visit


def _digest(sample: Sample) -> Visits:
    system = prompt("digest")

    def visit(dice: random.Random, _: float) -> list[Step]:
        meeting = popular(dice, sample.meetings, 0.5)
        tasks = dice.sample(meeting.questions, min(len(meeting.questions), dice.randint(1, 3)))
        texts = [f"Transcript {meeting.id}\n\n{meeting.text}\n\nTask\n\n{task}" for task in tasks]
        gaps = [0.0, *(dice.uniform(40, 200) for _ in texts[1:])]
        return [
            chat("gpt-4o", system, [Turn("user", text)], stream=False, gap=gap)
            for text, gap in zip(texts, gaps, strict=True)
        ]

    return visit


def _maths(sample: Sample) -> Visits:
    exercises = _shuffled(sample.of("gsm8k"), "maths")
    system = "You are a patient tutor. Solve the exercise step by step and end with a line that says: Answer: N."

    def visit(dice: random.Random, _: float) -> list[Step]:
        turns = [Turn("user", popular(dice, exercises, 0.8).text)]
        return [chat("gpt-4o", system, turns, stream=dice.random() < 0.5, temperature=0)]

    return visit


def _quiz(sample: Sample) -> Visits:
    cards = _shuffled(sample.of("mmlu_pro"), "quiz")

    def visit(dice: random.Random, _: float) -> list[Step]:
        body = {
            "model": "gpt-5-mini",
            "instructions": "Choose the right answer and explain in two sentences why the others are wrong.",
            "input": popular(dice, cards, 0.6).text,
            "reasoning": {"effort": "low"},
        }
        return [Step(RESPONSES, body | {"stream": True} if dice.random() < 0.5 else body)]

    return visit


def _research(sample: Sample) -> Visits:
    topics: dict[str, list[str]] = {}
    for question in sample.of("cast"):
        topics.setdefault(question.group, []).append(question.text)
    system = "You help to find things out. Answer in a short paragraph and say how sure you are."

    def visit(dice: random.Random, _: float) -> list[Step]:
        turns: list[Turn] = []
        steps: list[Step] = []
        for at, text in enumerate(popular(dice, list(topics.values()))[: dice.randint(2, 6)]):
            turns.append(Turn("user", text))
            gap = dice.uniform(15, 90) if at else 0.0
            steps.append(chat("gpt-4.1-mini", system, turns, stream=True, gap=gap))
            turns.append(told("gpt-4.1-mini-2025-04-14", turns))
        return steps

    return visit


def _review() -> Visits:
    system = prompt("review")

    def visit(dice: random.Random, _: float) -> list[Step]:
        messages = [{"role": "user", "content": some_change(dice)}]
        return [claude("claude-sonnet-4-5", system, messages, stream=True)]

    return visit
