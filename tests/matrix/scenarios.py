"""What is asked in every cell, in no provider's words; who answers at the simulated providers, and what has to come out."""

import base64
import re
import struct
import zlib

import msgspec
from pydantic import BaseModel

from farthing.simulator import Answer, Ask, ToolCall


class Tool(msgspec.Struct, frozen=True):
    """A function on offer; ``parameters`` is its JSON schema."""

    name: str
    description: str
    parameters: dict


class Ticket(BaseModel):
    """A request for help."""

    title: str
    urgent: bool
    tags: list[str]


def square():
    """A red square as a PNG, base64."""
    rows = zlib.compress(b"".join(b"\0" + b"\xd0\x10\x10" * 8 for _ in range(8)))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


PICTURE = square()
SYSTEM = "You work at the front desk. Be brief, and be kind."
CITY = {"type": "string", "description": "Name of the city"}
WEATHER = Tool(
    "get_weather",
    "The weather in a city, now.",
    {"type": "object", "properties": {"city": CITY}, "required": ["city"], "additionalProperties": False},
)
TRAINS = Tool(
    "find_trains",
    "Trains to a city.",
    {
        "type": "object",
        "properties": {"city": CITY, "seats": {"type": "integer", "minimum": 1}, "direct": {"type": "boolean"}},
        "required": ["city", "seats", "direct"],
        "additionalProperties": False,
    },
)
TOOLS = (WEATHER, TRAINS)

PLAIN = "How do I top up my card?"
ONE_TOOL = "What is the weather in Bern?"
TWO_TOOLS = "Is it warmer in Bern or in Malmö?"
STRUCTURED = "File a ticket: my card was swallowed, and I am at the airport."
LOOK = "What is in this picture?"
TRIP = "Where should two of us go by train, Bern or Malmö?"

TOUR = "Plan the tour, leg by leg, with what this map shows."
LEGS = 19
"""Calls of tools on the tour; then comes the answer."""

TEXT = 'Choose "Top up" – 2 minutes 🙂, no more.\n\n<Else> ask & we `look`.'  # noqa: RUF001 - as people write
FILED = Ticket(title="Card swallowed – airport", urgent=True, tags=["card", "travel"])  # noqa: RUF001 - as people write
SEEN = "A red square, eight by eight."
ADVICE = "Go to Bern: it is warm, and there are seats on the train of 8:04."

BERN = ToolCall("get_weather", {"city": "Bern"})
MALMO = ToolCall("get_weather", {"city": "Malmö"})
TRAIN = ToolCall("find_trains", {"city": "Bern", "seats": 2, "direct": True})
RESULTS = {
    ("get_weather", "Bern"): '{"celsius": 24, "sky": "clear"}',
    ("get_weather", "Malmö"): '{"celsius": 11, "sky": "\\"drizzle\\""}',
    ("find_trains", "Bern"): "8:04, platform 7; two seats",
}


def script(ask: Ask) -> Answer:
    """What every simulated model says: it depends on the last turn alone, whoever the model is."""
    last = ask.turns[-1]
    if last.role == "tool":
        return _after(last.text)
    return _first(ask)


def _first(ask):
    question = ask.question
    if STRUCTURED in question:
        forced = ask.tool_choice if ask.tool_choice not in ("auto", "none", "required") else None
        if ask.tool_choice == "required":
            forced = ask.tools[0].name
        return Answer(tool_calls=(ToolCall(forced, FILED.model_dump()),)) if forced else Answer(FILED.model_dump_json())
    says = {
        ONE_TOOL: Answer(tool_calls=(BERN,)),
        TWO_TOOLS: Answer("Let me look at both.", (BERN, MALMO)),
        TRIP: Answer("Let me see.", (BERN, MALMO)),
        TOUR: Answer("", leg(1)),
        LOOK: Answer(SEEN),
    }
    return next((answer for asked, answer in says.items() if asked in question), Answer(TEXT))


def leg(number):
    """What is asked for a leg of the tour: two tools at once on every other one."""
    train = ToolCall("find_trains", {"city": f"Stop {number}", "seats": number, "direct": number % 3 == 0})
    return (train,) if number % 2 else (ToolCall("get_weather", {"city": f"Stop {number}"}), train)


def said_of(call):
    """What a tool says on the tour."""
    return f'leg {call.arguments["city"].split()[1]} of {call.name}: "fine"'


def _after(result):
    if found := re.findall(r"leg (\d+) of", result):
        number = int(found[-1])
        return (
            Answer(f"Leg {number} is settled." if number % 5 == 0 else "", leg(number + 1))
            if number < LEGS
            else Answer(ADVICE)
        )
    if "celsius" in result:
        return Answer(tool_calls=(TRAIN,))
    return Answer(ADVICE)
