"""Signatures under a model's thoughts: only the model that thought them takes them back, and only unchanged."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b


def signature(model: str, thought: str) -> str:
    """The signature that this model puts under a thought."""
    digest = blake2b(f"{model}\x1f{thought}".encode(errors="replace"), digest_size=48).digest()
    return b64encode(digest).decode()
