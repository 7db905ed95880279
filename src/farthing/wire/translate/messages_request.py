"""Requests to Anthropic's messages API: ``read`` from a client, ``write`` for a provider."""

from farthing.wire.translate.messages_read import read
from farthing.wire.translate.messages_write import write

__all__ = ["read", "write"]
