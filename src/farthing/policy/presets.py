"""The providers that farthing knows (``providers.toml``), and what of them holds for a table of the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import msgspec

from farthing.policy.provider import BUILT_IN, Auth, Provider, Quirks
from farthing.types import Api

FILE = Path(__file__).with_name("providers.toml")
PLACES = ("resource", "region")
"""What may stand in braces in a ``base_url``: keys of ``Provider``."""
_PLACE = re.compile(r"\{(\w*)\}")


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider that is known. ``base_url`` may have places in braces."""

    title: str
    kind: Api
    base_url: str
    prices: str | None = None
    """The price list, and the list of models, that hold for it; ``None``: it sells nothing."""
    auth: Auth | None = None
    api_key_env: str | None = None
    resource_env: tuple[str, ...] = ()
    region_env: tuple[str, ...] = ()
    """Variables that fill a place which the settings leave empty; the first that is set counts."""
    quirks: Quirks = Quirks()

    def defaults(self) -> dict[str, Any]:
        """What a table of the settings need not say."""
        return {
            "base_url": self.base_url,
            "kind": self.kind,
            "auth": self.auth,
            "api_key_env": self.api_key_env,
            "quirks": self.quirks,
        }


class Unfilled(ValueError):
    """A place of an address that nothing fills; ``place`` is its key."""

    def __init__(self, place: str, variables: tuple[str, ...]) -> None:
        self.place = place
        ways = f'say {place} = "…"' + (f" or set {' or '.join(variables)}" if variables else "")
        super().__init__(f"is missing: base_url has {{{place}}} in it; {ways}")


@lru_cache(1)
def presets() -> Mapping[str, Preset]:
    """All of them, by name; read once, when first asked for."""
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), dict[str, Preset])


def filled(url: str, own: Mapping[str, str | None], preset: Preset | None, environ: Mapping[str, str]) -> str:
    """The address with its places filled: from the settings, else from the environment. Raises ``Unfilled``."""

    def value(match: re.Match[str]) -> str:
        place = match[1]
        if place not in PLACES:
            raise ValueError(f"there is no {{{place}}}; allowed are {' and '.join(f'{{{one}}}' for one in PLACES)}")
        variables = cast("tuple[str, ...]", getattr(preset, f"{place}_env")) if preset else ()
        found = own.get(place) or next((environ[name] for name in variables if environ.get(name)), None)
        if not found:
            raise Unfilled(place, variables)
        return found

    return _PLACE.sub(value, url)


def ready(environ: Mapping[str, str]) -> Iterator[tuple[str, Provider]]:
    """The known providers whose key the environment has, and whatever else they need; those built in left out."""
    for name, preset in presets().items():
        if name in BUILT_IN or not (preset.api_key_env and environ.get(preset.api_key_env)):
            continue
        try:
            url = filled(preset.base_url, {}, preset, environ)
        except Unfilled:
            continue
        made = Provider(**preset.defaults())
        yield name, msgspec.structs.replace(made, base_url=url, preset=name)


def waiting(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Known providers whose key the environment has, and what they lack to be used without a table."""
    for name, preset in presets().items():
        if preset.api_key_env and environ.get(preset.api_key_env):
            try:
                filled(preset.base_url, {}, preset, environ)
            except Unfilled as lack:
                yield name, f"{lack.place} {lack}"


def sellers(providers: Mapping[str, Provider]) -> dict[str, str]:
    """Provider → the price list that holds for it, of those that are a known one."""
    if providers == BUILT_IN:
        return {}
    known = {name: presets().get(one.preset or "") for name, one in providers.items()}
    return {name: preset.prices for name, preset in known.items() if preset is not None and preset.prices is not None}
