"""LiteLLM's own translation of requests, from bytes to bytes as its proxy has to do it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network when it is imported


def version() -> str:
    from importlib.metadata import version

    return version("litellm")


def requests() -> dict[str, Callable[[bytes], bytes]]:
    """By the names of ``benchmarks/translate.py``."""
    from litellm.llms.anthropic.chat.transformation import AnthropicConfig
    from litellm.llms.anthropic.messages.adapters.transformation import LiteLLMAnthropicMessagesAdapter

    config, adapter, model = AnthropicConfig(), LiteLLMAnthropicMessagesAdapter(), "claude-haiku-4-5"

    def to_messages(body: bytes) -> bytes:
        asked = json.loads(body)
        turns = asked.pop("messages")
        asked.pop("model")
        given = config.map_openai_params(asked, {}, model, drop_params=False)
        return json.dumps(config.transform_request(model, turns, given, {}, {})).encode()

    def to_chat(body: bytes) -> bytes:
        asked, _ = adapter.translate_anthropic_to_openai(json.loads(body))
        return json.dumps(asked).encode()

    return {"chat → messages": to_messages, "messages → chat": to_chat}
