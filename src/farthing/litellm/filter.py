"""farthing's policy in LiteLLM's router: which deployments can take a request, and who takes over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, cast

from litellm.integrations.custom_logger import CustomLogger
from typing_extensions import override

from farthing.policy import Policy
from farthing.policy.model import Model
from farthing.sdk.settings import policy_of


class FarthingFilter(CustomLogger):
    """``litellm.callbacks = [FarthingFilter()]``: an asynchronous call of a ``Router`` goes to no deployment whose
    ``[models.NAME]`` says that it cannot take it. If none could, all stay: the provider may know better.

    LiteLLM asks nobody in synchronous calls. Which deployment it is, and when one is left alone, remains its choice.
    """

    def __init__(self, *, config: str | os.PathLike[str] | Policy | None = None) -> None:
        """Raises ``ConfigError``."""
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - it takes anything
        self._models = policy_of(config).models

    @override
    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[Any],
        messages: Any,
        request_kwargs: dict[str, Any] | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict[str, Any]]:
        request = request_kwargs or {}
        able = [one for one in healthy_deployments if is_able(self._traits(one), request, messages)]
        return able or healthy_deployments

    def _traits(self, deployment: Mapping[str, Any]) -> Model:
        name = str(cast("Mapping[str, Any]", deployment.get("litellm_params") or {}).get("model"))
        return self._models.get(name) or self._models.get(name.partition("/")[2]) or Model()


def is_able(traits: Model, request: Mapping[str, Any], messages: object) -> bool:
    """Whether a model of these traits can take a request, as far as they say."""
    kind = cast("Mapping[str, Any]", request.get("response_format") or {})
    schema = isinstance(kind, type) or kind.get("type") == "json_schema"
    return (
        (traits.tools is not False or not request.get("tools"))
        and (traits.images is not False or not _has_pictures(messages))
        and (traits.json_schema not in (False, "none") or not schema)
    )


def _has_pictures(messages: object) -> bool:
    parts = (
        part
        for one in cast("Iterable[Any]", messages or ())
        if isinstance(one, Mapping) and isinstance(content := cast("Mapping[str, Any]", one).get("content"), list)
        for part in cast("list[Any]", content)
    )
    return any(isinstance(part, Mapping) and cast("Any", part).get("type") != "text" for part in parts)


def fallbacks(
    models: Sequence[str], *, config: str | os.PathLike[str] | Policy | None = None
) -> list[dict[str, list[str]]]:
    """``Router(…, fallbacks=fallbacks(names))``: who takes over from these ``model_name``s, by ``[fallback]``, else by
    the tiers, as far as they are among them. Raises ``ConfigError``.
    """
    policy = policy_of(config)
    chains = ((name, [one for one in _chain(policy, name) if one in models and one != name]) for name in models)
    return [{name: chain} for name, chain in chains if chain]


def _chain(policy: Policy, name: str) -> Iterable[str]:
    for pattern, others in policy.fallback.items():
        if fnmatchcase(name, pattern):
            return others
    tiers = (policy.tiers.simple, policy.tiers.moderate, policy.tiers.complex)
    tier = next((tier for tier in tiers if name in tier), ())
    place = tier.index(name) if tier else 0
    return (*tier[place + 1 :], *tier[:place])
