"""What stands beside the ``model_list`` of a LiteLLM configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from farthing.imports.sheet import Sheet

SECTIONS = ("router_settings", "litellm_settings", "general_settings")
MOST_ATTEMPTS = 10
LOGGING = "farthing has a ledger, metrics and OpenTelemetry of its own"
HOUSE = "the ledger, the cache and limits lie beside the gateway; nothing is shared over a network"
KEYS = "make keys with `farthing keys create`"
WHY = {
    "routing_strategy": "load is spread by room and by conversation",
    "redis_host": HOUSE, "redis_port": HOUSE, "redis_password": HOUSE, "redis_url": HOUSE, "database_url": HOUSE,
    "master_key": KEYS,
    "allowed_fails": "see [retries] and docs/resilience.md: breakers are built in",
    "cooldown_time": "see [retries] and docs/resilience.md: breakers are built in",
    "success_callback": LOGGING, "failure_callback": LOGGING, "callbacks": LOGGING,
    "drop_params": "fields that a provider does not know go through as they came",
    "content_policy_fallbacks": "an answer that was filtered is an answer",
    "set_verbose": "see [server] log_level",
}  # fmt: skip
NO_SETTING = "farthing has no such setting"


def read_settings(config: Mapping[str, Any], sheet: Sheet) -> None:
    """Fallbacks, retries, time limits, the cache; the rest as notes."""
    for section in config.keys() - {"model_list", *SECTIONS}:
        sheet.note(section, NO_SETTING)
    for section in SECTIONS:
        for key, value in _mapping(config.get(section)).items():
            if not _taken(key, value, sheet):
                sheet.note(f"{section} {key}", WHY.get(key, NO_SETTING))
    cache = _mapping(config.get("litellm_settings"))
    if sheet.fallback or "retries" in sheet.tables or cache.get("cache"):
        sheet.mode = "save"  # in observe mode none of these has an effect
        sheet.tables["cache"] = _cache(cache, sheet)


def _taken(key: str, value: object, sheet: Sheet) -> bool:
    match key:
        case "fallbacks" | "context_window_fallbacks":
            _fallbacks(value, sheet)
        case "default_fallbacks" if isinstance(value, list):
            _chain("*", cast("list[object]", value), sheet)
        case "model_group_alias" if isinstance(value, dict):
            for alias, target in cast("dict[str, object]", value).items():
                _alias(alias, target, sheet)
        case "num_retries" if isinstance(value, int):
            sheet.tables["retries"] = {"attempts": min(MOST_ATTEMPTS, max(0, value) + 1)}
        case "timeout" | "request_timeout" if isinstance(value, int | float) and value > 0:
            sheet.tables["server"] = {"read_timeout": f"{value:g}s"}
        case "cache" | "cache_params":
            pass
        case _:
            return False
    return True


def _fallbacks(value: object, sheet: Sheet) -> None:
    for one in cast("list[object]", value) if isinstance(value, list) else []:
        for name, others in _mapping(one).items():
            if isinstance(others, list):
                _chain(name, cast("list[object]", others), sheet)


def _chain(name: str, others: list[object], sheet: Sheet) -> None:
    """Behind what is there already: the other deployments of the same name go first."""
    target = _resolved(name, sheet)
    known = sheet.fallback.get(target)
    chain = list(known) if isinstance(known, list) else []
    for other in others:
        if isinstance(other, str) and (one := _resolved(other, sheet)) not in [target, *chain]:
            chain.append(one)
    if chain:
        sheet.fallback[target] = chain


def _alias(alias: str, target: object, sheet: Sheet) -> None:
    model = target if isinstance(target, str) else _mapping(target).get("model")
    if isinstance(model, str):
        sheet.aliases[alias] = _resolved(model, sheet)
    else:
        sheet.note(f"model_group_alias {alias}", "it names no model")


def _resolved(name: str, sheet: Sheet) -> str:
    found = sheet.aliases.get(name, name)
    return found if isinstance(found, str) else name


def _cache(settings: Mapping[str, Any], sheet: Sheet) -> dict[str, str | int | float | bool | list[str]]:
    params = _mapping(settings.get("cache_params"))
    for key in params.keys() - {"ttl"}:
        sheet.note(f"cache_params {key}", "answers lie in a file beside the ledger")
    ttl = params.get("ttl")
    kept = {"ttl": f"{ttl:g}s"} if isinstance(ttl, int | float) and ttl > 0 else {}
    return {"exact": bool(settings.get("cache")), **kept}


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
