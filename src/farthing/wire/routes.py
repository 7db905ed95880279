"""Which wire a path is spoken on."""

from __future__ import annotations

from farthing.types import Api
from farthing.wire.anthropic_count_tokens import AnthropicCountTokens
from farthing.wire.anthropic_messages import AnthropicMessages
from farthing.wire.base import Wire
from farthing.wire.openai_chat import OpenAIChat
from farthing.wire.openai_embeddings import OpenAIEmbeddings
from farthing.wire.openai_responses import OpenAIResponses
from farthing.wire.passthrough import Passthrough


def wire_for(method: str, path: str, *, anthropic: bool = False) -> Wire:
    """The wire for a request under ``/v1/``. Wires have no state.

    ``anthropic``: the request has an ``anthropic-version`` header. It decides the paths that both APIs have.
    """
    if method == "POST":
        match path:
            case "/v1/chat/completions":
                return OpenAIChat()
            case "/v1/messages":
                return AnthropicMessages()
            case "/v1/responses":
                return OpenAIResponses()
            case "/v1/embeddings":
                return OpenAIEmbeddings()
            case "/v1/messages/count_tokens":
                return AnthropicCountTokens()
            case _:
                pass
    return _other(method, path, anthropic)


def _other(method: str, path: str, anthropic: bool) -> Passthrough:
    api: Api = "anthropic" if anthropic or path == "/v1/messages" or path.startswith("/v1/messages/") else "openai"
    if method == "GET" and (path == "/v1/models" or path.startswith("/v1/models/")):
        return Passthrough(f"{api}.models", api, "models", bills=False)
    return Passthrough(f"{api}.other", api, bills=method == "POST" and not path.endswith("/cancel"))
