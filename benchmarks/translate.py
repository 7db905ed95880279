"""What translation costs: requests, replies and events of streams, from one API to another, beside LiteLLM's own.

    python benchmarks/translate.py [--runs 2000] [--json FILE]

From bytes to bytes, in one process, without a gateway around it. Requests are a conversation of 10 kB with tools, calls
and results; a reply has a text of 420 characters and two calls. Every run is timed by itself, the translations take
turns in blocks; quoted is the median. ``json`` is Python's own module, which reads the request and writes it again.
Method and reading: ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from translating import conversation, peer

from farthing.types import Usage
from farthing.wire import sse
from farthing.wire.translate import chat_reply, messages_reply
from farthing.wire.translate.answer import Answer, Closed, Counted, Done, Ended, Grown, Opened, Started, Step
from farthing.wire.translate.bridge import CHAT, MESSAGES, RESPONSES
from farthing.wire.translate.conversation import Text, ToolCall, Traits
from farthing.wire.translate.crossing import Crossing
from farthing.wire.translate.crossing import conversation as read

Run = Callable[[], object]
NAMES = {CHAT: "chat", MESSAGES: "messages", RESPONSES: "responses"}
WAYS = [(CHAT, MESSAGES), (MESSAGES, CHAT), (RESPONSES, MESSAGES), (RESPONSES, CHAT)]
"""The client's wire and the provider's."""
BODIES = {
    CHAT: conversation.body(conversation.chat()),
    MESSAGES: conversation.body(conversation.messages()),
    RESPONSES: conversation.body(conversation.responses()),
}
TRAITS = Traits(max_output=8192)
USAGE = Usage(input=2600, output=140)
CALLS = [ToolCall(key, name, json.dumps(given)) for key, name, given in conversation.calls(2)]
BLOCK = 50
WHOLE = Answer("r1", "m", (Text(conversation.ANSWER), *CALLS), "tool_calls", usage=USAGE, created=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000, help="of each translation")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    rows = [*requests(options.runs), *replies(options.runs), *events(options.runs // 10)]
    print(table(rows))
    if options.json:
        machine = {
            "python": platform.python_version(),
            "system": platform.platform(),
            "litellm": peer.version(),
            "load": round(os.getloadavg()[0], 1),
        }
        sizes = {NAMES[wire]: len(body) for wire, body in BODIES.items()}
        whole = {"machine": machine, "runs": options.runs, "request_bytes": sizes, "rows": rows}
        options.json.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def requests(runs: int) -> Iterator[dict[str, Any]]:
    """A request, read and written again; and LiteLLM's."""
    ours: dict[tuple[str, str], Run] = {
        ("farthing", way(client, spoken)): partial(crossing, client, spoken) for client, spoken in WAYS
    }
    theirs: dict[tuple[str, str], Run] = {
        ("litellm", name): partial(run, BODIES[CHAT if name.startswith("chat") else MESSAGES])
        for name, run in peer.requests().items()
    }
    yardstick: dict[tuple[str, str], Run] = {("json", "chat → chat"): lambda: json.dumps(json.loads(BODIES[CHAT]))}
    for (who, name), times in timed(ours | theirs | yardstick, runs).items():
        yield row("request", name, who, times)


def replies(runs: int) -> Iterator[dict[str, Any]]:
    """A reply in one piece, on its way back."""
    bodies = {CHAT: chat_reply.write(WHOLE), MESSAGES: messages_reply.write(WHOLE)}
    made: dict[tuple[str, str], Run] = {}
    for client, spoken in WAYS:
        made["farthing", way(spoken, client)] = partial(crossing(client, spoken).whole, bodies[spoken])
    for (who, name), times in timed(made, runs).items():
        yield row("reply", name, who, times)


def events(runs: int) -> Iterator[dict[str, Any]]:
    """A stream of about a hundred events, each of which comes by itself; microseconds are those of one event."""
    streams = {
        CHAT: streamed(chat_reply.Writer(include_usage=True, functions=False, created=0)),
        MESSAGES: streamed(messages_reply.Writer()),
    }
    made: dict[tuple[str, str], Run] = {}
    for client, spoken in WAYS:
        made["farthing", way(spoken, client)] = partial(fed, crossing(client, spoken), streams[spoken])
    counts = {way(spoken, client): len(streams[spoken]) for client, spoken in WAYS}
    for (who, name), times in timed(made, runs).items():
        yield row("event", name, who, [each / counts[name] for each in times])


def crossing(client: str, spoken: str) -> Crossing:
    """What the gateway does with a request that has to cross."""
    body = BODIES[client]
    return Crossing(client, body, read(client, body), spoken, TRAITS, created=0)


def fed(crossing: Crossing, parts: list[bytes]) -> list[bytes]:
    """The client's stream."""
    return [*map(crossing.stream().feed, parts)]


def streamed(writer: Any) -> list[bytes]:  # noqa: ANN401 - one of two writers
    """A provider's stream, cut where its events end."""
    parts = sse.Events().feed(b"".join(writer.feed(step) for step in steps()))
    return [part for part in parts if part.strip()]


def steps() -> Iterator[Step]:
    yield Started("r1", "m", usage=Usage(input=2600), created=0)
    yield Opened(Text(""))
    for word in conversation.ANSWER.split(" "):
        yield Grown(word + " ")
    yield Closed()
    for call in CALLS:
        yield Opened(ToolCall(call.id, call.name, ""))
        for at in range(0, len(call.arguments), 12):
            yield Grown(call.arguments[at : at + 12])
        yield Closed()
    yield Ended("tool_calls")
    yield Counted(USAGE)
    yield Done()


def timed(made: dict[tuple[str, str], Run], runs: int) -> dict[tuple[str, str], list[float]]:
    """Processor microseconds of every run, so that others on the machine do not count. They take turns in blocks, of
    whose runs the first tenth warms up.
    """
    times: dict[tuple[str, str], list[float]] = {place: [] for place in made}
    for _ in range(max(1, runs // BLOCK)):
        for place, run in made.items():
            block = [once(run) for _ in range(BLOCK + BLOCK // 10)]
            times[place] += block[BLOCK // 10 :]
    return times


def once(run: Run) -> float:
    began = time.thread_time_ns()
    run()
    return (time.thread_time_ns() - began) / 1000


def way(one: str, other: str) -> str:
    return f"{NAMES[one]} → {NAMES[other]}"


def row(what: str, name: str, who: str, times: list[float]) -> dict[str, Any]:
    """Microseconds."""
    figures = {"median_us": round(median(times), 1), "p95_us": round(quantiles(times, n=20)[-1], 1)}
    return {"what": what, "way": name, "by": who} | figures


def table(rows: list[dict[str, Any]]) -> str:
    head = ("what", "way", "by", "median_us", "p95_us")
    lines = [head, *([str(row[name]) for name in head] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


if __name__ == "__main__":
    main()
