"""Requests as applications write them."""

from __future__ import annotations

import json
from typing import Any

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


def body_of(wire: str, model: str, text: str, *, stream: bool) -> bytes:
    """A request as an application writes it."""
    system = "You are the help desk of a museum of technology. Answer in plain words."
    messages: list[dict[str, str]] = [{"role": "user", "content": text}]
    fields: dict[str, Any] = {"model": model, "stream": stream}
    match wire:
        case "embeddings":
            fields = {"model": "text-embedding-3-small", "input": text}
        case "responses":
            fields |= {"input": text, "instructions": system}
        case "messages":
            fields |= {"messages": messages, "system": system, "max_tokens": 400}
        case _:
            fields |= {"messages": [{"role": "system", "content": system}, *messages]}
    return json.dumps(fields).encode()


def headers_of(wire: str, tenant: str, user: int) -> dict[str, str]:
    """Key, tenant, user."""
    key = {"x-api-key": "any", "anthropic-version": "2023-06-01"} if wire == "messages" else {}
    named = {"x-farthing-tenant": tenant, "x-farthing-user": f"user-{user}"}
    return {"content-type": "application/json", **(key or {"authorization": "Bearer any"}), **named}
