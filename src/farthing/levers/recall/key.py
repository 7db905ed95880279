"""The key of an exact answer: who may see it, how it was asked, and everything in the body that may change it.

Two bodies have the same key only if they are the same JSON value, but for the few fields below that cannot change
an answer. It is a list of what is left out, not of what goes in: a field that nobody has heard of yet is in the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import msgspec

from farthing.levers.recall.rules import RULES_VERSION

NOT_IN_KEY = frozenset(
    {
        "stream",  # how the answer travels; recall replays it in the caller's own way
        "stream_options",
        "user",  # who asks: for abuse detection and statistics only; who may see it is in the partition
        "safety_identifier",
        "metadata",  # labels on the provider's logs
        "prompt_cache_key",  # the provider's prompt cache: price and speed, never the text
        "prompt_cache_retention",
        "prompt_cache_options",
        "service_tier",  # price and speed
        "store",  # whether the provider keeps a copy
    }
)
"""Top-level fields that cannot change the answer."""

_EXACT_FLOAT = 2**53
_SALT = b"farthing.recall"


class Partition(msgspec.Struct, frozen=True, array_like=True):
    """Between two partitions nothing is shared, whatever the bodies say."""

    tenant: str
    credential: bytes
    """A digest of the credential that the request came with: a hit is never for someone without a valid one."""
    provider: str
    """The name of the provider in the configuration."""
    user: str | None = None
    """Set where answers may not be shared between the users of a tenant."""
    namespace: str | None = None
    """Version of a knowledge base or template behind the prompt: change it and the old answers are gone."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Headers that change what the provider does, such as ``anthropic-beta`` and ``anthropic-version``."""


def recall_key(partition: Partition, wire: str, body: bytes) -> bytes:
    """32 bytes that name the answer to this body. Raises ``msgspec.DecodeError`` if the body is not JSON."""
    return key_of(partition, wire, canonical(body))


def key_of(partition: Partition, wire: str, form: bytes) -> bytes:
    """The same of a body's canonical form.

    The version of the gate's rules is part of it: what older rules let in is not found any more.
    """
    digest = _begun(partition, wire).copy()
    digest.update(form)
    return digest.digest()


def canonical(body: bytes) -> bytes:
    """The same bytes for all bodies that ask the same. Raises ``msgspec.DecodeError`` if the body is not JSON.

    White space, the order of keys and the spelling of a number (``1``, ``1.0``) make no difference; of a repeated key
    the last one counts.
    """
    value = _DECODER.decode(body)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        for name in NOT_IN_KEY & fields.keys():
            del fields[name]
        if b'"cache_control"' in body:
            _drop_cache_markers(fields)
    return msgspec.json.encode(value, order="sorted")


@lru_cache(4096)
def _begun(partition: Partition, wire: str) -> blake2b:
    """The part of the digest that all requests of a partition share."""
    return blake2b(_SALT + msgspec.msgpack.encode((RULES_VERSION, partition, wire)), digest_size=32)


def _drop_cache_markers(body: dict[str, Any]) -> None:
    """Anthropic's markers set what the prompt costs, not what it says.

    Only where the API takes one: the same word in a tool's schema or arguments is content.
    """
    body.pop("cache_control", None)
    for block in _blocks(body):
        block.pop("cache_control", None)


def _blocks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _dicts(body.get("system"))
    yield from _dicts(body.get("tools"))
    for message in _dicts(body.get("messages")):
        yield from _dicts(message.get("content"))


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        yield from (cast("dict[str, Any]", item) for item in items if isinstance(item, dict))


def _number(text: str) -> int | float:
    """A whole number is the same number with and without a fraction of zero."""
    number = float(text)
    if number.is_integer() and abs(number) < _EXACT_FLOAT:
        return int(number)
    if abs(number) == float("inf"):
        raise ValueError(f"the number {text} is too large")
    return number


_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_number)
