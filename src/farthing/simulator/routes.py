"""Which endpoint is read and rendered by what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from farthing.simulator.anthropic_wire import messages_events, messages_reply, parse_count, parse_messages
from farthing.simulator.call import Call, Done, Event, Json
from farthing.simulator.catalog import Model
from farthing.simulator.dialects import Dialect
from farthing.simulator.openai_embeddings import embeddings_reply, parse_embeddings
from farthing.simulator.openai_responses import parse_responses, responses_events, responses_reply
from farthing.simulator.openai_wire import chat_events, chat_reply, parse_chat
from farthing.types import Api


class Route(msgspec.Struct, frozen=True):
    """One endpoint that is billed (and ``count_tokens``, which is not)."""

    path: str
    api: Api
    parse: Callable[[Json, Model], Call]
    reply: Callable[[Call, Done], Json]
    events: Callable[[Call, Done], list[Event]] | None = None
    embeds: bool = False
    dialect: Dialect | None = None


ROUTES = (
    Route("/v1/chat/completions", "openai", parse_chat, chat_reply, chat_events),
    Route("/v1/responses", "openai", parse_responses, responses_reply, responses_events),
    Route("/v1/embeddings", "openai", parse_embeddings, embeddings_reply, embeds=True),
    Route("/v1/messages", "anthropic", parse_messages, messages_reply, messages_events),
)
COUNT_TOKENS = Route("/v1/messages/count_tokens", "anthropic", parse_count, messages_reply)


def dialect_routes(dialect: Dialect) -> Iterator[Route]:
    """The endpoints of an OpenAI-compatible provider."""
    base = f"/dialects/{dialect.name}/v1"
    yield Route(f"{base}/chat/completions", "openai", dialect.parse, chat_reply, chat_events, dialect=dialect)
    if dialect.responses:
        yield Route(f"{base}/responses", "openai", parse_responses, responses_reply, responses_events, dialect=dialect)
