"""Prompt caches as the two providers run them: what a prompt reads, what it writes, what it pays in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import accumulate
from types import MappingProxyType

import msgspec

from farthing.simulator.call import Block, Call
from farthing.simulator.catalog import Model
from farthing.simulator.tokens import PER_PROMPT
from farthing.types import Usage

_SECONDS: Mapping[str, float] = MappingProxyType({"5m": 300.0, "1h": 3600.0})
_LOOK_BACK = 20
_SWEEP_EVERY = 4096


class Split(msgspec.Struct, frozen=True):
    """A prompt's tokens by class, and the entries (digest, seconds to live) that begin with its reply."""

    usage: Usage
    entries: tuple[tuple[bytes, float], ...] = ()


class _Entry(msgspec.Struct, frozen=True):
    born: float
    until: float
    ttl: float


class PromptCache:
    """One account's cache. Times are the requests' own, so that a month can be replayed in seconds."""

    def __init__(self) -> None:
        self._entries: dict[bytes, _Entry] = {}
        self._writes = 0

    def look(self, call: Call, now: float) -> Split:
        """How the prompt is billed at this time. Changes nothing: entries begin when the reply begins."""
        if call.model.cache.kind == "automatic":
            return self._automatic(call, now)
        if call.model.cache.kind == "breakpoints":
            return self._breakpoints(call, now)
        per_prompt = len(PER_PROMPT) if call.model.embedding else 0
        return Split(Usage(input=prompt_tokens(call.blocks) - per_prompt))

    def write(self, split: Split, now: float) -> None:
        """The reply begins: its entries are warm from now on, those that it read are renewed."""
        for digest, ttl in split.entries:
            old = self._warm(digest, now)
            self._entries[digest] = _Entry(
                old.born if old else now, max(now + ttl, old.until if old else 0.0), max(ttl, old.ttl if old else 0.0)
            )
        self._writes += len(split.entries)
        if self._writes >= _SWEEP_EVERY:
            self._writes = 0
            hour_ago = now - 3600.0  # parallel replays ask a little out of order
            self._entries = {key: entry for key, entry in self._entries.items() if entry.until > hour_ago}

    def _warm(self, digest: bytes, now: float) -> _Entry | None:
        entry = self._entries.get(digest)
        return entry if entry is not None and entry.born <= now < entry.until else None

    def _automatic(self, call: Call, now: float) -> Split:
        rule = call.model.cache
        pieces = [piece for block in call.blocks for piece in block.pieces()]
        pieces += PER_PROMPT
        lengths = range(rule.minimum, len(pieces) + 1, rule.step)
        starts = (0, *lengths[:-1])
        parts = ("\x1f".join(pieces[start:end]) for start, end in zip(starts, lengths, strict=False))
        digests = list(_chain(call.model, call.cache_key, parts))
        warm = (length for length, digest in zip(lengths, digests, strict=True) if self._warm(digest, now))
        read = max(warm, default=0)
        usage = Usage(input=len(pieces) - read, cache_read=read)
        return Split(usage, tuple((digest, rule.ttl_s) for digest in digests))

    def _breakpoints(self, call: Call, now: float) -> Split:
        ends = list(accumulate(len(block.pieces()) for block in call.blocks))
        digests = list(_chain(call.model, "", _block_texts(call)))
        marks = [at for at, block in enumerate(call.blocks) if block.ttl and ends[at] >= call.model.cache.minimum]
        best = max((at for mark in marks for at in self._found(digests, mark, now)), default=-1)
        read = done = ends[best] if best >= 0 else 0
        written = {"5m": 0, "1h": 0}
        for mark in marks:
            written[call.blocks[mark].ttl or "5m"] += max(0, ends[mark] - done)
            done = max(done, ends[mark])
        entries = [(digests[mark], _SECONDS[call.blocks[mark].ttl or "5m"]) for mark in marks]
        if best >= 0 and best not in marks:
            entries.append((digests[best], self._entries[digests[best]].ttl))
        usage = Usage(
            input=prompt_tokens(call.blocks) - done,
            cache_read=read,
            cache_write_5m=written["5m"],
            cache_write_1h=written["1h"],
        )
        return Split(usage, tuple(entries))

    def _found(self, digests: list[bytes], mark: int, now: float) -> Iterator[int]:
        """The warm entries within reach of a marker, itself included."""
        return (at for at in range(max(0, mark - _LOOK_BACK + 1), mark + 1) if self._warm(digests[at], now))


def prompt_tokens(blocks: Iterable[Block]) -> int:
    """All tokens of a prompt."""
    return sum(len(block.pieces()) for block in blocks) + len(PER_PROMPT)


def _block_texts(call: Call) -> Iterator[str]:
    salted = False
    for block in call.blocks:
        salt = call.messages_salt if block.kind == "message" and not salted else ""
        salted = salted or block.kind == "message"
        yield f"{salt}\x1f{block.kind}\x1f{block.role}\x1f{block.opens}\x1f{block.text}"


def _chain(model: Model, key: str, parts: Iterable[str]) -> Iterator[bytes]:
    """A digest for every prefix of the parts."""
    state = blake2b(f"{model.name}\x1f{key}".encode(), digest_size=16)
    for part in parts:
        state.update(f"\x1e{len(part)}\x1e{part}".encode(errors="surrogatepass"))
        yield state.digest()
