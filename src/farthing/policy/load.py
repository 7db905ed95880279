"""Reads ``farthing.toml`` and ``FARTHING_*``; every error names key, line and what is allowed."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec

from farthing.errors import ConfigError
from farthing.policy.model import Cache, Metrics, Model, Otel, Policy, Prices, Rates, Retries, Server, Store, Tiers
from farthing.policy.presets import PLACES, Preset, Unfilled, filled, presets, ready
from farthing.policy.provider import BUILT_IN, LITELLM, Provider, Quirks

TABLES: dict[str, type[msgspec.Struct]] = {
    "server": Server,
    "store": Store,
    "retries": Retries,
    "tiers": Tiers,
    "cache": Cache,
    "prices": Prices,
    "metrics": Metrics,
    "otel": Otel,
}
NAMED: dict[str, type[msgspec.Struct]] = {"providers": Provider, "rates": Rates, "models": Model}
"""Tables of tables: ``[providers.NAME]``."""
LATER = ("routing", "fit", "prefix", "batch", "quality", "proof")
"""Tables of the contract whose levers are not in this version: accepted, and said to have no effect."""
MODES = ("observe", "save")
NOT_SETTINGS = ("FARTHING_CONFIG",)

Raw = dict[str, Any]
T = TypeVar("T", bound=msgspec.Struct)


def load_policy(config: Path | None, environ: Mapping[str, str]) -> Policy:
    """The policy of a file (``--config``, else ``FARTHING_CONFIG``, else ``farthing.toml`` if there is one) and the
    environment, which goes first. Raises ``ConfigError``.
    """
    path = config_file(config, environ)
    source = _read(path) if path else ""
    raw = _parse(source, path)
    _overlay(raw, environ)
    return _Reader(source, str(path or "environment"), environ).policy(raw)


def config_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that the settings are read from, if there is one."""
    path = config or (Path(environ["FARTHING_CONFIG"]) if environ.get("FARTHING_CONFIG") else None)
    if path is None and Path("farthing.toml").exists():
        path = Path("farthing.toml")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; leave --config away to run with the defaults") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path}: cannot be read: {problem}") from problem


def _parse(source: str, path: Path | None) -> Raw:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{path}: not valid TOML: {problem}") from problem


def _overlay(raw: Raw, environ: Mapping[str, str]) -> None:
    """Lay ``FARTHING_<SECTION>_<KEY>`` over the file."""
    if mode := environ.get("FARTHING_MODE"):
        raw["mode"] = _value(mode)
    for name, text in environ.items():
        section, _, key = name.removeprefix("FARTHING_").lower().partition("_")
        if not name.startswith("FARTHING_") or name in NOT_SETTINGS or section not in {*TABLES, *LATER, *NAMED}:
            continue
        table = raw.setdefault(section, {})
        if section in NAMED:
            one, *outer, key = _named_key(section, key)
            for step in (one, *outer):
                table = table.setdefault(step, {})
        table[key] = _value(text)


def _named_key(section: str, key: str) -> tuple[str, ...]:
    """``OPENAI_BASE_URL`` → ``openai``, ``base_url``. The longest key that fits is meant."""
    keys = {field: (field,) for field in NAMED[section].__struct_fields__}
    if section == "providers":
        keys |= {f"quirks_{field}": ("quirks", field) for field in Quirks.__struct_fields__}
    for field in sorted(keys, key=len, reverse=True):
        if key.endswith("_" + field):
            return key.removesuffix("_" + field), *keys[field]
    raise ConfigError(
        f"FARTHING_{section.upper()}_{key.upper()}: should end with one of "
        + ", ".join("_" + field.upper() for field in keys)
    )


def _value(text: str) -> object:
    """An environment variable as TOML would read it; what is not TOML is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


class _Reader:
    """Turns the raw tables into structs; knows the source so that errors can name a line."""

    def __init__(self, source: str, name: str, environ: Mapping[str, str]) -> None:
        self.source, self.name, self.environ = source, name, environ

    def policy(self, raw: Raw) -> Policy:
        allowed = ["mode", *NAMED, "aliases", "fallback", *TABLES, *LATER]
        for key in raw:
            if key not in allowed:
                raise self.error(None, key, f"there is no such setting{_meant(key, allowed)}")
        mode = raw.get("mode", "observe")
        if mode not in MODES:
            raise self.error(None, "mode", f"{mode!r} is not allowed; allowed are {' and '.join(MODES)}")
        tables: dict[str, Any] = {key: self.table(key, raw[key], shape) for key, shape in TABLES.items() if key in raw}
        notices = tuple(f"[{key}] has no effect in this version" for key in LATER if key in raw)
        providers = self.providers(raw.get("providers", {}))
        return Policy(
            mode=mode,
            providers=providers,
            rates=self.rates(raw.get("rates", {}), providers),
            aliases=self.aliases(raw.get("aliases", {})),
            fallback=self.fallback(raw.get("fallback", {})),
            models={
                name: self.table(f"models.{name}", table, Model)
                for name, table in self.as_table("models", raw.get("models", {})).items()
            },
            notices=notices,
            **tables,
        )

    def aliases(self, value: object) -> dict[str, str]:
        found = self.as_table("aliases", value)
        for name, model in found.items():
            if not isinstance(model, str) or not model:
                raise self.error("aliases", name, 'should be a model: "gpt-4o" or "azure/gpt-4o"')
        return found

    def fallback(self, value: object) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for model, chain in self.as_table("fallback", value).items():
            try:
                found[model] = msgspec.convert(chain, tuple[str, ...])
            except msgspec.ValidationError:
                raise self.error("fallback", model, 'should be a list of models: ["gpt-4.1", "azure/gpt-4o"]') from None
        return found

    def providers(self, value: object) -> dict[str, Provider]:
        """Those built in, those of the settings, and behind them those whose key the environment has."""
        found = dict(BUILT_IN)
        for name, table in self.as_table("providers", value).items():
            section = f"providers.{name}"
            found[name] = self.provider(section, name, dict(self.as_table(section, table)))
        return found | {name: one for name, one in ready(self.environ) if name not in found}

    def provider(self, section: str, name: str, own: Raw) -> Provider:
        """A table over what is known of its preset."""
        preset = self.preset(section, name, own.get("preset"))
        defaults = preset.defaults() | {"preset": own.get("preset", name)} if preset else {}
        if "via" in own:
            own["via"] = self.via(section, name, own["via"])
            known = {key: defaults[key] for key in ("preset", "api_key_env") if key in defaults}
            defaults = known | {"base_url": LITELLM + own["via"].partition("/")[2], "quirks": Quirks(responses=False)}
        if own.get("auth", defaults.get("auth")) == "none":
            if "auth" in own:
                defaults.pop("api_key_env", None)
            elif {"api_key_env", "api_key_envs"} & own.keys():
                defaults.pop("auth")  # who names a key means it to be sent
        if (quirks := own.pop("quirks", None)) is not None:
            usual = msgspec.structs.asdict(cast("Quirks", defaults.get("quirks", Quirks())))
            inner = f"{section}.quirks"
            defaults["quirks"] = self.table(inner, usual | self.as_table(inner, quirks), Quirks)
        return self.placed(section, self.table(section, defaults | own, Provider), preset)

    def via(self, section: str, name: str, wanted: object) -> str:
        """``litellm`` with LiteLLM's name for the provider."""
        if find_spec("litellm") is None:
            raise self.error(section, "via", "needs LiteLLM: pip install 'farthing[litellm]'")
        return f"litellm/{name}" if wanted == "litellm" else str(wanted)

    def preset(self, section: str, name: str, wanted: object) -> Preset | None:
        """The one that is named, else the one of the same name, if there is one."""
        known = presets()
        if wanted is None:
            return known.get(name)
        if not isinstance(wanted, str) or wanted not in known:
            raise self.error(section, "preset", f"{wanted!r} is no known provider{_meant(str(wanted), list(known))}")
        return known[wanted]

    def placed(self, section: str, made: Provider, preset: Preset | None) -> Provider:
        """With the places of its addresses filled."""
        own = {place: cast("str | None", getattr(made, place)) for place in PLACES}
        key = "base_url"
        try:
            url = filled(made.base_url, own, preset, self.environ)
            key = "base_urls"
            more = tuple(filled(one, own, preset, self.environ) for one in made.base_urls)
        except Unfilled as lack:
            raise self.error(section, lack.place, str(lack)) from None
        except ValueError as problem:
            raise self.error(section, key, str(problem)) from None
        return msgspec.structs.replace(made, base_url=url, base_urls=more)

    def rates(self, value: object, providers: dict[str, Provider]) -> dict[str, Rates]:
        found: dict[str, Rates] = {}
        for name, table in self.as_table("rates", value).items():
            provider, section = name.partition("/")[0], f"rates.{name}"
            if not isinstance(table, dict):
                raise self.error("rates", name, f'should be a table, [rates."openai"] or [rates."openai/{name}"]')
            if provider not in providers:
                raise self.error(None, section, f"there is no provider {provider}{_meant(provider, list(providers))}")
            found[name] = self.table(section, cast("Raw", table), Rates)
        return found

    def as_table(self, section: str, value: object) -> Raw:
        if not isinstance(value, dict):
            raise self.error(None, section, f"should be a table: [{section}]")
        return cast("Raw", value)

    def table(self, section: str, value: object, shape: type[T]) -> T:
        raw = self.as_table(section, value)
        fields = list(shape.__struct_fields__)
        for key in raw:
            if key not in fields:
                raise self.error(section, key, f"there is no such setting{_meant(key, fields)}")
        try:
            return msgspec.convert(raw, shape)
        except msgspec.ValidationError as problem:
            key, text = _explain(str(problem), fields)
            if allowed := _choices(shape, key):
                text = f"{raw.get(key)!r} is not allowed; allowed are {' and '.join(allowed)}"
            raise self.error(section, key, text) from None

    def error(self, section: str | None, key: str, text: str) -> ConfigError:
        where = f"[{section}] {key}" if section else key
        variable = "FARTHING_" + "_".join(filter(None, [section, key])).upper().replace(".", "_")
        if variable in self.environ:
            return ConfigError(f"{variable}: {text}")
        line = _line_of(self.source, section, key)
        return ConfigError(f"{self.name}{f' line {line}' if line else ''}: {where}: {text}")


def _explain(message: str, fields: list[str]) -> tuple[str, str]:
    """The key that a message of msgspec, or of one of our own checks, is about, and the message without it."""
    if found := re.fullmatch(r"(.*) - at `\$\.(\w+).*`", message):
        return found[2], found[1][0].lower() + found[1][1:]
    if found := re.fullmatch(r"Object missing required field `(\w+)`.*", message):
        return found[1], "is missing"
    key, _, text = message.partition(": ")
    return (key, text) if key in fields else ("", message)


def _choices(shape: type[msgspec.Struct], key: str) -> tuple[str, ...]:
    """The words that are allowed for a key that takes one of a few."""
    kinds = [field.type for field in msgspec.structs.fields(shape) if field.name == key]
    while kinds:
        kind = kinds.pop()
        if get_origin(kind) is Literal:
            return get_args(kind)
        kinds += (one for one in get_args(kind) if one is not Ellipsis)
    return ()


def _meant(key: str, allowed: list[str]) -> str:
    close = difflib.get_close_matches(key, allowed, 1)
    return f"; did you mean {close[0]}?" if close else f"; allowed are {', '.join(allowed)}"


def _line_of(source: str, section: str | None, key: str) -> int | None:
    """The line on which a key of a section is set, or the section begins, or is itself a key."""
    current: str | None = None
    fallback: int | None = None
    for number, line in enumerate(source.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            current = header[1].replace('"', "").replace(" ", "")
            if current == section or (section is None and current == key):
                fallback = number
        rest = line[header.end() :] if header else line
        if current == section and re.search(rf"(?:^|[\s,{{]){re.escape(key)}\s*=", rest):
            return number
    outer, dot, last = (section or key).rpartition(".")
    return _line_of(source, outer, last) if fallback is None and dot else fallback
