"""One conversation of about 10 kB, as each of the three APIs has it: a long system prompt, four tools, their calls and
results, some of them at once; and its answer.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

RULE = "Rule {0}: look up what you do not know before you answer, name the record you rely on, never promise a date. "
SYSTEM = "You are the assistant of a parcel service's customer desk. " + "".join(RULE.format(n) for n in range(1, 18))
FIELDS: Json = {
    "tracking_id": {"type": "string", "description": "The parcel's number, as printed under the bar code"},
    "since": {"type": "string", "format": "date", "description": "First day that counts, as YYYY-MM-DD"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 50, "description": "How many records at most"},
    "include": {"type": "array", "items": {"type": "string", "enum": ["scans", "notes", "claims"]}},
}
SCHEMA: Json = {"type": "object", "properties": FIELDS, "required": ["tracking_id"], "additionalProperties": False}
TOOLS = {
    "find_parcel": "Where a parcel is, and where it has been.",
    "list_claims": "Claims that were made for a parcel, the newest first.",
    "depot_hours": "When the depot that holds a parcel is open.",
    "open_claim": "Opens a claim for a parcel that is lost or damaged.",
}
ROUNDS = 3
SCANS = [
    {"at": f"2026-11-{day:02}T07:4{day % 10}:00Z", "depot": "Olten", "state": "sorted", "by": "belt 4"}
    for day in range(3, 8)
]
RESULT = json.dumps(
    {"status": "in transit", "scans": SCANS, "note": 'left at "Olten": no receipt'},
    ensure_ascii=False,
)
ANSWER = "Your parcel was last seen in Olten on the 7th; a claim is open, and we will write as soon as it moves. " * 4


def question(number: int) -> str:
    return (
        f"And what about parcel P-{number:06}? It was to come on Monday, and the neighbours have not seen it either. 📦"
    )


def calls(number: int) -> list[tuple[str, str, Json]]:
    """Id, tool and arguments: two at once in every other round."""
    given = {"tracking_id": f"P-{number:06}", "since": "2026-11-01", "include": ["scans", "notes"]}
    found = [(f"call_{number:04}a0123456789", "find_parcel", given)]
    return found if number % 2 else [*found, (f"call_{number:04}b0123456789", "list_claims", given | {"limit": 5})]


def chat() -> Json:
    """OpenAI's chat completions."""
    turns: list[Json] = [{"role": "system", "content": SYSTEM}]
    for number in range(ROUNDS):
        turns.append({"role": "user", "content": question(number)})
        made = [
            {"id": key, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
            for key, name, given in calls(number)
        ]
        turns.append({"role": "assistant", "content": None, "tool_calls": made})
        turns += [{"role": "tool", "tool_call_id": key, "content": RESULT} for key, _, _ in calls(number)]
        turns.append({"role": "assistant", "content": ANSWER})
    turns.append({"role": "user", "content": question(ROUNDS)})
    tools = [{"type": "function", "function": _tool(name, "parameters")} for name in TOOLS]
    return {"model": "gpt-4o", "messages": turns, "tools": tools, "temperature": 0.2, "max_completion_tokens": 800}


def messages() -> Json:
    """Anthropic's messages."""
    turns: list[Json] = []
    for number in range(ROUNDS):
        turns.append({"role": "user", "content": question(number)})
        made = [{"type": "tool_use", "id": key, "name": name, "input": given} for key, name, given in calls(number)]
        turns.append({"role": "assistant", "content": made})
        results = [{"type": "tool_result", "tool_use_id": key, "content": RESULT} for key, _, _ in calls(number)]
        turns += [{"role": "user", "content": results}, {"role": "assistant", "content": ANSWER}]
    turns.append({"role": "user", "content": question(ROUNDS)})
    tools = [_tool(name, "input_schema") for name in TOOLS]
    head = {"model": "claude-haiku-4-5", "max_tokens": 800, "temperature": 0.2, "system": SYSTEM}
    return head | {"messages": turns, "tools": tools}


def responses() -> Json:
    """OpenAI's responses."""
    items: list[Json] = []
    for number in range(ROUNDS):
        items.append({"role": "user", "content": question(number)})
        for key, name, given in calls(number):
            items.append({"type": "function_call", "call_id": key, "name": name, "arguments": json.dumps(given)})
        items += [{"type": "function_call_output", "call_id": key, "output": RESULT} for key, _, _ in calls(number)]
        items.append({"role": "assistant", "content": ANSWER})
    items.append({"role": "user", "content": question(ROUNDS)})
    tools = [{"type": "function", "strict": False} | _tool(name, "parameters") for name in TOOLS]
    head = {"model": "gpt-4o", "instructions": SYSTEM, "temperature": 0.2, "max_output_tokens": 800, "store": False}
    return head | {"input": items, "tools": tools}


def _tool(name: str, schema: str) -> Json:
    return {"name": name, "description": TOOLS[name], schema: SCHEMA}


def body(value: Json) -> bytes:
    """As a client's library sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
