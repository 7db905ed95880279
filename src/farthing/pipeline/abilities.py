"""What the model of a provider can do, by the data and by the settings, and what that means for a request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

import msgspec

from farthing.policy import Provider, Quirks
from farthing.policy.model import Model
from farthing.prices.capabilities import Capabilities, Thinks
from farthing.types import Api
from farthing.wire.translate.conversation import Need, Traits

REMEMBERED = 2048
"""Names of models come from clients."""
FIELDS: Mapping[Need, str] = {"logprobs": "logprobs", "logit_bias": "logit_bias", "several_choices": "n"}
"""Needs that are a field at the top of a request, which an endpoint may refuse."""

Find = Callable[[str, Api, str], Capabilities]
"""(provider, API, model) → what the data say."""
Able = Callable[[str, str], Capabilities]
"""(provider, model) → what it can do."""


def abilities(providers: Mapping[str, Provider], models: Mapping[str, Model], find: Find) -> Able:
    """Looks models up: ``[models."provider/model"]`` goes before ``[models.model]``, and both before the data."""

    @lru_cache(REMEMBERED)
    def able(provider: str, model: str) -> Capabilities:
        one = providers.get(provider)
        known = find(provider, one.kind if one else "openai", model)
        own = models.get(f"{provider}/{model}") or models.get(model)
        return known if own is None else told(own, known)

    return able


def told(own: Model, known: Capabilities) -> Capabilities:
    """What the settings say, over what the data say."""
    given = {key: value for key, value in msgspec.structs.asdict(own).items() if value is not None}
    if own.images is False:
        given = {"documents": False, "audio": False} | given
    if isinstance(own.json_schema, bool):
        given["json_schema"] = "native" if own.json_schema else "none"
    elif own.tools is False and own.json_schema is None and known.json_schema == "tool":
        given["json_schema"] = "none"
    source = "settings" if known.source is None else f"settings, {known.source}"
    return msgspec.structs.replace(known, **given, source=source)


def lacks(can: Capabilities, quirks: Quirks, needs: Collection[Need]) -> set[Need]:
    """Those of a request's needs that the model, or the endpoint, is known not to honour."""
    able: dict[Need, bool | None] = {
        "tools": can.tools,
        "images": can.images,
        "documents": can.documents,
        "audio": can.audio,
        "json_schema": (quirks.json_schema or can.json_schema) != "none",
        "thinking": can.thinking != "none",
    }
    able |= {need: field not in quirks.without for need, field in FIELDS.items()}
    return {need for need in needs if able.get(need) is False}


def traits_of(can: Capabilities, provider: Provider) -> Traits:
    """What the writer of a request to this model there has to know."""
    quirks, is_claude_s = provider.quirks, provider.kind == "anthropic"
    return Traits(
        max_output=can.max_output,
        json_schema=quirks.json_schema or can.json_schema or ("tool" if is_claude_s else "native"),
        thinking=_thinking(can, provider.kind),
        sampling=can.sampling is not False,
        limit_field=quirks.limit_field,
        developer_role=quirks.developer_role,
        call_ids=quirks.call_ids,
        without=frozenset(quirks.without) if quirks.stream_options else frozenset((*quirks.without, "stream_options")),
    )


def _thinking(can: Capabilities, api: Api) -> Thinks:
    """In the words of the API: OpenAI's has only efforts, Anthropic's a budget where nothing is said of another way."""
    if can.thinking is None or can.thinking == "none":
        return "none"
    if api == "openai":
        return "effort"
    return "budget" if can.thinking == "effort" else can.thinking
