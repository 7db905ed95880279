"""``farthing models``: the providers that can be used, and what a model can do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from farthing.cli.common import config_option, console, json_line, json_option, policy_of

if TYPE_CHECKING:
    from farthing.policy import Policy
    from farthing.prices.capabilities import Capabilities


class Door(msgspec.Struct, frozen=True):
    """A provider for people and machines; no key is in it."""

    provider: str
    api: str
    base_url: str
    auth: str
    key_env: str | None
    ready: bool
    """Its key is in the environment, or it takes none."""


class Known(msgspec.Struct, frozen=True):
    """What a model can do at a provider; what is unknown is ``None``."""

    provider: str
    model: str
    capabilities: dict[str, object]


@click.command()
@click.argument("name", required=False)
@config_option
@json_option
def models(name: str | None, config: Path | None, as_json: bool) -> int:
    """List the providers that can be used; with NAME (gpt-4o, groq/llama-…) show what that model can do.

    The exit code is 1 if nothing is known of the model.
    """
    policy = policy_of(config, None)
    if name is None:
        _show_doors(list(doors(policy, os.environ)), as_json=as_json)
        return 0
    known = _known(policy, name)
    is_known = known.capabilities.get("source") is not None or known.capabilities["context"] is not None
    if as_json:
        click.echo(json_line(known))
    elif is_known:
        _show(known)
    if not is_known:
        click.echo(f'farthing: nothing is known of {name}; say what it can do in [models."{name}"]', err=True)
    return 0 if is_known else 1


def doors(policy: Policy, environ: Mapping[str, str]) -> Iterator[Door]:
    """Every provider of the settings, those of the environment included."""
    for name, one in policy.providers.items():
        names = [key for key in (one.api_key_env, *one.api_key_envs) if key]
        ready = one.scheme == "none" or any(environ.get(key) for key in names)
        yield Door(name, one.kind, one.base_url, one.scheme, names[0] if names else None, ready)


def _known(policy: Policy, name: str) -> Known:
    from farthing.pipeline.abilities import abilities
    from farthing.policy.presets import sellers
    from farthing.prices import catalog
    from farthing.prices.capabilities import CapabilityBook

    asked = policy.aliases.get(name, name)
    provider, slash, model = asked.partition("/")
    if not slash or provider not in policy.providers:
        provider, model = ("anthropic" if asked.lower().startswith("claude") else "openai"), asked
    book = CapabilityBook(catalog.load(), sellers=sellers(policy.providers))
    found: Capabilities = abilities(policy.providers, policy.models, book.find)(provider, model)
    return Known(provider, model, msgspec.structs.asdict(found))


def _show_doors(found: list[Door], *, as_json: bool) -> None:
    if as_json:
        for one in found:
            click.echo(json_line(one))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("provider", "API", "address", "key", box=None, pad_edge=False)
    for one in found:
        key = "takes none" if one.auth == "none" else one.key_env or "the client's own"
        state = key if one.ready or one.key_env is None else f"{key} is not set"
        table.add_row(Text(one.provider), one.api, Text(one.base_url), Text(state, style="" if one.ready else "yellow"))
    console().print(table)


def _show(known: Known) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{known.provider}/{known.model}", title_justify="left", show_header=False, box=None)
    for key, value in known.capabilities.items():
        table.add_row(key.replace("_", " "), Text(_said(value)))
    console().print(table)


def _said(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"{value:,}" if isinstance(value, int) else str(value)
