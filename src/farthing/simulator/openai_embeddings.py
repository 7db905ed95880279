"""OpenAI embeddings: texts that share words get vectors that are near each other. Pure."""

from __future__ import annotations

import re
from array import array
from base64 import b64encode
from hashlib import blake2b
from math import sqrt
from typing import Any

from farthing.simulator.answers import Ask
from farthing.simulator.call import Block, Call, Done, Json, arr, integer
from farthing.simulator.catalog import Model
from farthing.simulator.openai_wire import known_fields
from farthing.simulator.refusals import invalid, too_long
from farthing.simulator.tokens import count_tokens
from farthing.simulator.words import words

_FIELDS = words("dimensions encoding_format input model user")
_MOST_INPUTS = 2048
_SPOTS = 12
"""In how many places of a vector a word shows."""


def parse_embeddings(body: Json, model: Model) -> Call:
    """The body as a call whose blocks are the inputs. Raises ``Refusal`` or ``TypeError``."""
    known_fields(body, _FIELDS)
    texts = _inputs(body.get("input"))
    if not texts or len(texts) > _MOST_INPUTS or not all(texts):
        raise invalid("'$.input' is invalid. Please check the API reference.", param="input")
    for text in texts:
        if (length := count_tokens(text)) > model.context:
            raise too_long("openai", length, 0, model.context)
    integer(body.get("dimensions"), "dimensions", model.embedding)
    if (encoding := body.get("encoding_format", "float")) not in ("float", "base64"):
        raise invalid(f"Invalid value: '{encoding}'.", code="invalid_value", param="encoding_format")
    # Kind "tools": an input costs its own tokens and nothing beside them.
    blocks = tuple(Block("tools", "", text) for text in texts)
    return Call(model=model, ask=Ask(model.name, "", ()), blocks=blocks, echo=body)


def embeddings_reply(call: Call, done: Done) -> Json:
    """The vectors, as numbers or in base64 as asked."""
    size = integer(call.echo.get("dimensions"), "dimensions", call.model.embedding)
    as_base64 = call.echo.get("encoding_format") == "base64"
    data: list[Json] = []
    for at, block in enumerate(call.blocks):
        vector = embed(block.text, size)
        value: Any = b64encode(vector.tobytes()).decode() if as_base64 else vector.tolist()
        data.append({"object": "embedding", "index": at, "embedding": value})
    used = 0 if done.report == "zero" else done.usage.input
    usage: Json = {"usage": {"prompt_tokens": used, "total_tokens": used}} if done.report != "never" else {}
    return {"object": "list", "data": data, "model": call.model.name} | usage


def embed(text: str, size: int) -> array[float]:
    """A unit vector of 32-bit floats that depends on the words alone."""
    vector = array("f", bytes(4 * size))
    for word in re.findall(r"\w+", text.casefold()) or [text]:
        digest = blake2b(word.encode(errors="replace"), digest_size=4 * _SPOTS).digest()
        for at in range(0, len(digest), 4):
            number = int.from_bytes(digest[at : at + 4], "little")
            vector[(number >> 1) % size] += 1.0 if number & 1 else -1.0
    norm = sqrt(sum(value * value for value in vector)) or 1.0
    return array("f", [value / norm for value in vector])


def _inputs(given: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    if isinstance(given, str):
        return [given]
    items = arr(given, "input")
    if items and all(isinstance(each, int) for each in items):
        return [_from_numbers(items)]
    return [each if isinstance(each, str) else _from_numbers(arr(each, "input[]")) for each in items]


def _from_numbers(numbers: list[Any]) -> str:
    """Token numbers of a vocabulary that we do not have: each becomes one token of ours."""
    return "".join(f" {chr(97 + int(number) % 26)}" for number in numbers)
