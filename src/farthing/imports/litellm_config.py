"""A ``config.yaml`` of LiteLLM's proxy as a ``farthing.toml``. Pure: the parsed file in, a sheet out.

A ``model_name`` may have several deployments, over which LiteLLM spreads the load. Those that differ only in their key
or only in their address are one provider with several keys or addresses, and the load is spread here, too. Others
follow one another: the first is asked, the next one when that has no room or fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from farthing.errors import ConfigError
from farthing.imports.litellm_makers import MAKERS, maker_of
from farthing.imports.litellm_settings import read_settings
from farthing.imports.sheet import Sheet, Table

ENVIRON = "os.environ/"
BUILT_IN = ("openai", "anthropic")
TAKEN = frozenset({"model", "api_base", "base_url", "api_key", "rpm", "tpm", "custom_llm_provider"})
COST = "prices are farthing's own; change one with `farthing prices set`"
OWN = "the app says it in its request"
WHY = {
    "api_version": "the v1 path takes none",
    "timeout": "one limit holds for all: [server] read_timeout",
    "stream_timeout": "one limit holds for all: [server] read_timeout",
    "max_retries": "one limit holds for all: [retries] attempts",
    "weight": "load is spread by room and by conversation",
    "order": "the order in the file is kept",
    "max_parallel_requests": "there are limits by the minute: [rates]",
    "temperature": OWN, "max_tokens": OWN, "top_p": OWN, "stop": OWN, "seed": OWN, "extra_headers": OWN,
}  # fmt: skip
NO_SETTING = "farthing has no such setting"
PER_MINUTE = {"rpm": "requests_per_minute", "tpm": "tokens_per_minute"}


class Deployment(msgspec.Struct, frozen=True):
    """One entry of ``model_list`` that can be taken over."""

    alias: str
    prefix: str
    model: str
    base: str
    key: str | None
    rates: tuple[tuple[str, int], ...] = ()


class Endpoint(msgspec.Struct, frozen=True):
    """What becomes a provider."""

    prefix: str
    bases: tuple[str, ...]
    keys: tuple[str | None, ...]


def sheet_of(config: object, source: str) -> Sheet:
    """The settings. Raises ``ConfigError`` if it is no configuration of LiteLLM's."""
    if not isinstance(config, dict) or not isinstance(cast("dict[str, Any]", config).get("model_list"), list):
        raise ConfigError(f"{source}: is no configuration of LiteLLM's proxy: it has no model_list")
    fields = cast("dict[str, Any]", config)
    sheet = Sheet(source)
    groups: dict[str, list[Deployment]] = {}
    for number, entry in enumerate(cast("list[object]", fields["model_list"]), 1):
        found = _deployment(entry, number, sheet)
        if found is not None:
            groups.setdefault(found.alias, []).append(found)
    names = _Names(sheet)
    for alias, its in groups.items():
        _group(sheet, names, alias, its)
    read_settings(fields, sheet)
    return sheet


def _deployment(entry: object, number: int, sheet: Sheet) -> Deployment | None:
    fields = _mapping(entry)
    params = _mapping(fields.get("litellm_params"))
    alias, model = fields.get("model_name"), params.get("model")
    if not isinstance(alias, str) or not isinstance(model, str):
        sheet.note(f"entry {number} of model_list", "it has no model_name or no litellm_params.model")
        return None
    prefix = params.get("custom_llm_provider")
    prefix, maker, rest = maker_of(f"{prefix}/{model}" if isinstance(prefix, str) else model)
    thing = f"{alias} ({model})"
    if maker is None:
        sheet.note(thing, f"{prefix} is not known to speak OpenAI's or Anthropic's API")
        return None
    base = _base(params, sheet, thing)
    base = maker.base if base is None else _joined(base, maker.path)
    if base is None:
        sheet.note(thing, f"it has no api_base, and {prefix} needs one")
        return None
    for name in params.keys() - TAKEN:
        sheet.note(f"{thing} {name}", COST if "cost" in name else WHY.get(name, NO_SETTING))
    if fields.get("model_info"):
        sheet.note(f"{thing} model_info", "what models can do is data of farthing's: [models.NAME]")
    key = _key_of(params.get("api_key"), maker.key, thing, sheet)
    return Deployment(alias, prefix, rest, base, key, tuple(_rates(params, thing, sheet)))


def _base(params: Mapping[str, Any], sheet: Sheet, thing: str) -> str | None:
    base = params.get("api_base") or params.get("base_url")
    if isinstance(base, str) and base.startswith(ENVIRON):
        variable = base.removeprefix(ENVIRON)
        sheet.note(f"{thing} api_base", f"addresses stand in the file: put the value of {variable} there")
        return f"https://{variable.lower().replace('_', '-')}.invalid"
    return base if isinstance(base, str) else None


def _joined(base: str, path: str) -> str:
    bare = base.rstrip("/")
    return bare if bare.endswith(path) else bare + path


def _key_of(key: object, usual: str | None, thing: str, sheet: Sheet) -> str | None:
    if isinstance(key, str) and key.startswith(ENVIRON):
        return key.removeprefix(ENVIRON)
    if isinstance(key, str) and key and usual:
        sheet.note(f"{thing} api_key", f"keys do not stand in files: put it into the variable {usual}")
    return usual


def _rates(params: Mapping[str, Any], thing: str, sheet: Sheet) -> Iterator[tuple[str, int]]:
    for theirs, ours in PER_MINUTE.items():
        value = params.get(theirs)
        if isinstance(value, int) and value > 0:
            yield ours, value
        elif value is not None:
            sheet.note(f"{thing} {theirs}", "it is not a whole number above 0")


class _Names:
    """Endpoints get names: the maker's, then with a number."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._known: dict[Endpoint, str] = {}

    def of(self, endpoint: Endpoint) -> str:
        if endpoint not in self._known:
            maker = MAKERS[endpoint.prefix]
            usual = endpoint.bases == (maker.base,)
            first = maker.name
            if maker.name in BUILT_IN and not usual:  # that name means the maker itself
                first = _host(endpoint.bases[0]) or maker.name
            used = set(self._known.values())
            name, number = first, 1
            while name in used:
                number += 1
                name = f"{first}-{number}"
            self._known[endpoint] = name
            self._sheet.providers[name] = _provider(endpoint)
        return self._known[endpoint]


def _host(url: str) -> str:
    """A name made of an address."""
    host = urlsplit(url).hostname or ""
    return "".join(one if one.isalnum() else "-" for one in host).strip("-")


def _provider(endpoint: Endpoint) -> Table:
    table: Table = {"kind": MAKERS[endpoint.prefix].kind, "base_url": endpoint.bases[0]}
    keys = [key for key in endpoint.keys if key is not None]
    if len(endpoint.bases) > 1:
        table["base_urls"] = list(endpoint.bases[1:])
    if keys:
        table["api_key_env"] = keys[0]
    if len(keys) > 1:
        table["api_key_envs"] = keys[1:]
    return table


def _group(sheet: Sheet, names: _Names, alias: str, its: list[Deployment]) -> None:
    """All deployments of a model name."""
    targets: dict[str, list[Deployment]] = {}
    for endpoint, model, some in _merged(its):
        name = names.of(endpoint)
        if alias == "*" and model == "*":
            sheet.providers[name]["models"] = ["*"]
        elif model.endswith("*") and alias != f"{name}/{model}":
            sheet.note(f"{alias} ({endpoint.prefix}/{model})", f"its models are asked for as {name}/NAME")
        targets.setdefault(f"{name}/{model}", []).extend(some)
    for target, some in targets.items():
        _limit(sheet, target, some)
    first, *others = targets
    if "*" in alias:
        return
    if alias != first and not (alias == first.partition("/")[2] and first.partition("/")[0] in BUILT_IN):
        sheet.aliases[alias] = first
    if others:
        chain = sheet.fallback.setdefault(first, [])
        if isinstance(chain, list):
            chain += [one for one in others if one not in chain]
        sheet.note(f"{alias}: load spread over {', '.join(targets)}", "they are asked in this order, see [fallback]")


def _merged(its: list[Deployment]) -> Iterator[tuple[Endpoint, str, list[Deployment]]]:
    """Deployments of one model that differ only in their keys, or only in their addresses, are one endpoint."""
    kinds: dict[tuple[str, str], list[Deployment]] = {}
    for one in its:
        kinds.setdefault((one.prefix, one.model), []).append(one)
    for (prefix, model), same in kinds.items():
        bases = tuple(dict.fromkeys(one.base for one in same))
        keys = tuple(dict.fromkeys(one.key for one in same))
        if len(bases) == 1 or len(keys) == 1:
            yield Endpoint(prefix, bases, keys), model, same
        else:
            for one in same:
                yield Endpoint(prefix, (one.base,), (one.key,)), model, [one]


def _limit(sheet: Sheet, target: str, its: list[Deployment]) -> None:
    """A limit holds for each key; of deployments that are one now, the smallest."""
    for ours in PER_MINUTE.values():
        values = [value for one in its for name, value in one.rates if name == ours]
        if values:
            table = sheet.rates.setdefault(target, {})
            known = table.get(ours)
            table[ours] = min(*values, known) if isinstance(known, int) else min(values)


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
