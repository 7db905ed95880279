"""Whether another model can take a request: what it would have to be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farthing import tokens
from farthing.exchange import Exchange, prompt_of
from farthing.policy.model import Model
from farthing.types import Api, Prompt
from farthing.upstream.ways import Way

SIGNED = b'"signature"'
"""A turn of Claude's thinking: only the model that signed it accepts it."""

Window = Callable[[str, Api, str], int | None]
"""(provider, api, model) → tokens, if known."""


class Fit:
    """Compares requests with models."""

    def __init__(self, models: Mapping[str, Model], window: Window) -> None:
        self._models, self._window = models, window

    def fits(self, exchange: Exchange, way: Way) -> bool:
        """Whether this way's model can take the request, as far as is known."""
        if way.model is None or (exchange.wire.api == "anthropic" and SIGNED in exchange.body):
            return False
        traits, prompt = self._traits(way), prompt_of(exchange)
        if not _is_able(traits, prompt):
            return False
        window = traits.context or self._window(way.provider, exchange.wire.api, way.model)
        if window is None or len(exchange.body) + (exchange.facts.max_output or 0) <= window:
            return True  # no text has more tokens than bytes
        needed = tokens.estimate(prompt, "", way.model, body_bytes=len(exchange.body)).input
        return needed + (exchange.facts.max_output or 0) <= window

    def _traits(self, way: Way) -> Model:
        return self._models.get(f"{way.provider}/{way.model}") or self._models.get(way.model or "") or Model()


def _is_able(traits: Model, prompt: Prompt) -> bool:
    return (
        (traits.tools or not prompt.tools)
        and (traits.images or not prompt.attachments)
        and (traits.json_schema or prompt.response_format != "json_schema")
    )
