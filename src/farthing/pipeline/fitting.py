"""Whether a model can take a request: what it would have to be able to do, and how long the prompt is."""

from __future__ import annotations

from collections.abc import Mapping

from farthing import tokens
from farthing.errors import BadRequest
from farthing.exchange import Exchange, prompt_of
from farthing.pipeline.abilities import Able, lacks
from farthing.pipeline.calibration import Calibration
from farthing.pipeline.cross import conversation_of
from farthing.policy import Provider
from farthing.prices.capabilities import Capabilities
from farthing.types import Facts, Prompt, Usage
from farthing.upstream.ways import Way
from farthing.wire.translate.bridge import CHAT, MESSAGES, PINNING, barred

SIGNED: Mapping[str, bytes] = {MESSAGES: b'"signature"', CHAT: b'"thinking_blocks"'}
"""A turn of Claude's thinking: only the model that signed it accepts it."""
DOUBT = 1.1
"""So much too long an estimate has to be before a request is not even tried where it was meant to go."""
LONG = 8_192
"""Bytes of a body from which on a comparison of estimate and bill says something."""


class Fit:
    """Compares requests with models."""

    def __init__(self, able: Able, providers: Mapping[str, Provider]) -> None:
        self._able, self._providers = able, providers
        self._calibration = Calibration()

    def fits(self, exchange: Exchange, way: Way) -> bool:
        """Whether another model than the one that was asked for can take the request, as far as is known."""
        signed = SIGNED.get(exchange.wire.name)
        if way.model is None or (signed is not None and signed in exchange.body):
            return False
        if way.wire is not None and not self._can_cross(exchange, way, way.wire):
            return False
        can, window = self._able(way.provider, way.model), self.window(way)
        if not (_speaks(can, way.wire or exchange.wire.name) and _can(can, prompt_of(exchange), exchange.facts)):
            return False
        if way.wire is None and can.json_object is False and prompt_of(exchange).response_format == "json_object":
            return False  # a translation would say it in words
        return window is None or self.needed(exchange, way, window) <= window

    def _can_cross(self, exchange: Exchange, way: Way, wire: str) -> bool:
        try:
            needs = conversation_of(exchange).needs
        except BadRequest:
            return False  # whoever it was meant for says what is wrong with it
        if PINNING in needs or barred(needs, wire):
            return False
        return not lacks(self._able(way.provider, way.model or ""), self._providers[way.provider].quirks, needs)

    def window(self, way: Way) -> int | None:
        """Tokens of the model's window, if known."""
        return self._able(way.provider, way.model or "").context

    def is_too_long(self, exchange: Exchange, way: Way) -> bool:
        """Whether the request surely does not fit the model that it was meant for."""
        window = self.window(way)
        return window is not None and self.needed(exchange, way, window) > window * DOUBT

    def needed(self, exchange: Exchange, way: Way, enough: int) -> int:
        """Tokens of prompt and reply, estimated; an upper bound where that is not more than ``enough``."""
        output = exchange.facts.max_output or 0
        if len(exchange.body) + output <= enough:
            return len(exchange.body) + output  # no text has more tokens than bytes
        return round(self._estimate(exchange, way.model) * self._calibration.factor(way.model)) + output

    def learn(self, exchange: Exchange, usage: Usage, now: float) -> None:
        """What a call was billed for says how good the estimates are."""
        model = exchange.target.model
        if len(exchange.body) >= LONG and self._calibration.is_due(model, now):
            self._calibration.note(model, self._estimate(exchange, model), usage.prompt_tokens, now)

    def _estimate(self, exchange: Exchange, model: str | None) -> int:
        return tokens.estimate(prompt_of(exchange), "", model, body_bytes=len(exchange.body)).input


def _speaks(model: Capabilities, wire: str) -> bool:
    """Whether it can be called on this API, as far as is known."""
    return model.apis is None or wire.rpartition(".")[2] in model.apis


def _can(model: Capabilities, prompt: Prompt, facts: Facts) -> bool:
    """Whether it can do what is asked for, as far as is known."""
    return (
        (model.tools is not False or not prompt.tools)
        and (model.images is not False or not prompt.attachments)
        and (model.json_schema != "none" or prompt.response_format != "json_schema")
        and (model.streaming is not False or not facts.stream)
        and (model.max_output is None or facts.max_output is None or facts.max_output <= model.max_output)
    )
