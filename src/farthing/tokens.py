"""Token counts without a network: for budgets before a call, and for streams that ended without usage.

They are estimates, never a bill where usage exists. What they get wrong:

- OpenAI: plain text is counted with the model's own vocabulary; the few tokens around each message are taken as 3 and
  3 for the reply. Tool definitions and schemas are rewritten by OpenAI before they are counted: a rough guess.
- Claude publishes no tokenizer. Its texts are counted as OpenAI's and multiplied (1.2; 1.35 from Claude 4.7): one
  corpus showed a mean gap of 10% and a worst one of 13% for the older family; code and other languages differ more.
- Other makers: counted as OpenAI's, with no claim to accuracy.
- Hidden reasoning is in no reply's text: a reasoning model may have billed ten times the output that is counted here.
- An image, a sound or a document counts as a flat 1,000 tokens.

The vocabulary is loaded on first use: 0.4 s and 33 MB (GPT-4 and older) or 0.7 s and 64 MB (all others), and while it
loads the whole process stands still: the gateway calls ``warm`` before it takes requests. Without the tokenizer package
four bytes count as one token.
"""

from __future__ import annotations

import re
from typing import Protocol, cast

from msgspec.structs import replace

from farthing.types import Prompt, Usage

MESSAGE_TOKENS = 3
REPLY_TOKENS = 3
ATTACHMENT_TOKENS = 1_000
"""Between OpenAI's 765 for a square of 1,024 pixels in high detail and Claude's 1,600 for its largest image."""
BYTES_PER_TOKEN = 4

WHOLE = 500_000
"""Characters up to which a text is counted whole (about 15 ms); of a longer one ``SLICES`` pieces are counted."""
SLICES = 16
SLICE = 16_000

OLD_OPENAI = ("gpt-4-", "gpt-3.5", "gpt-35", "text-embedding", "davinci", "babbage")
NEWER_CLAUDE = (4, 7)
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")


class _Encoder(Protocol):
    def count(self, text: str) -> int: ...


def count(text: str, model: str | None = None) -> int:
    """Tokens of a text as this model's maker counts them, estimated. At most about 15 ms once warm."""
    percent = _percent(model)
    return -(-_plain(text, model) * percent // 100)


def estimate(prompt: Prompt, reply: str, model: str | None = None, *, body_bytes: int | None = None) -> Usage:
    """Usage of a call from what was said. ``body_bytes`` is the size of the request: with tools or a schema on offer,
    what of it is not messages is counted at four bytes a token.
    """
    texts = [prompt.system, *(turn.text for turn in prompt.turns)]
    said = "\n".join(text for text in texts if text)
    messages = len(prompt.turns) + bool(prompt.system)
    around = MESSAGE_TOKENS * messages + REPLY_TOKENS + ATTACHMENT_TOKENS * prompt.attachments
    if body_bytes is not None and not prompt.attachments and (prompt.tools or prompt.response_format == "json_schema"):
        around += max(0, body_bytes - _size(said)) // BYTES_PER_TOKEN
    return Usage(input=count(said, model) + around, output=count(reply, model))


def recounted(usage: Usage, by: str | None, counted_for: str | None) -> Usage:
    """A usage that one model reported, as another one's maker would have counted the same texts, estimated. What was
    written into a prompt cache would have been plain input: who writes what differs from maker to maker.
    """
    old, new = _percent(by), _percent(counted_for)
    if old == new:
        return usage
    fresh = usage.input + usage.cache_write_5m + usage.cache_write_1h
    return replace(
        usage,
        input=fresh * new // old,
        cache_read=usage.cache_read * new // old,
        cache_write_5m=0,
        cache_write_1h=0,
        output=usage.output * new // old,
        reasoning=usage.reasoning * new // old,
    )


def warm(model: str | None = None) -> None:
    """Load the vocabulary of this model now, so that no request has to wait for it."""
    count("warm", model)


def _plain(text: str, model: str | None) -> int:
    if not text:
        return 0
    if len(text) <= WHOLE:
        return _exact(text, model)
    step = (len(text) - SLICE) // (SLICES - 1)
    counted = sum(_exact(text[start : start + SLICE], model) for start in range(0, SLICES * step, step))
    return counted * len(text) // (SLICES * SLICE)


def _exact(text: str, model: str | None) -> int:
    encoder = _encoder(model)
    if encoder is None:
        return -(-_size(text) // BYTES_PER_TOKEN)
    try:
        return encoder.count(text)
    except TypeError:  # half of a surrogate pair, which is no text
        return encoder.count(text.encode("utf-8", "replace").decode())


def _encoder(model: str | None) -> _Encoder | None:
    try:
        from quicktok import get_encoding  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        return None
    name = _bare(model)
    old = name == "gpt-4" or name.startswith(OLD_OPENAI)
    return cast("_Encoder", get_encoding("cl100k_base" if old else "o200k_base"))  # kept loaded by quicktok


def _percent(model: str | None) -> int:
    """What the count is multiplied by, in hundredths."""
    name = _bare(model)
    if "claude" not in name:
        return 100
    found = _CLAUDE.search(name)
    newer = found is not None and (int(found[1]), int(found[2] or 0)) >= NEWER_CLAUDE
    return 135 if newer else 120


def _bare(model: str | None) -> str:
    return (model or "").lower().rpartition("/")[2]


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
