"""``farthing keys``: virtual keys for apps and for the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from farthing.cli.common import clock, config_option, console, json_line, json_option, policy_of, store_option
from farthing.errors import FarthingError
from farthing.limits.keys import Key, KeyRing


@click.group()
def keys() -> None:
    """Virtual keys (fk-…): an app uses one instead of the provider's key; it is bound to a tenant."""


@keys.command()
@click.option("--tenant", required=True, help="Whose spending it is, and whose answers it may share.")
@click.option("--name", default="", help="A note for people.")
@click.option("--admin", is_flag=True, help="May also see the dashboard and its API from other machines.")
@config_option
@store_option
@json_option
def create(tenant: str, name: str, admin: bool, config: Path | None, store: str | None, as_json: bool) -> None:
    """Make a key. It is shown once and stored hashed."""
    if not tenant.strip():
        raise click.UsageError("--tenant: whose key is it? A tenant has a name")
    role: Literal["app", "admin"] = "admin" if admin else "app"
    key, token = _ring(config, store).create(tenant=tenant.strip(), name=name, role=role, clock=clock)
    if as_json:
        click.echo(json_line({**_shown(key), "key": token}))
        return
    click.echo(token)
    click.echo(f"{key.id}, tenant {key.tenant}. This is the only time it is shown.", err=True)


@keys.command(name="list")
@config_option
@store_option
@json_option
def show(config: Path | None, store: str | None, as_json: bool) -> None:
    """All keys, without what opens."""
    found = _ring(config, store).all()
    if as_json:
        for key in found:
            click.echo(json_line(_shown(key)))
        return
    if not found:
        click.echo("There are no keys. Make one with: farthing keys create --tenant NAME")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "tenant", "name", "role", "created", "revoked", box=None)
    for key in found:
        revoked = _day(key.revoked) if key.revoked is not None else ""
        cells = (key.id, key.tenant, key.name, key.role, _day(key.created), revoked)
        table.add_row(*(Text(cell) for cell in cells))
    console().print(table)


@keys.command()
@click.argument("key_id", metavar="ID")
@config_option
@store_option
def revoke(key_id: str, config: Path | None, store: str | None) -> None:
    """Stop a key from working, in every running gateway, at once."""
    if _ring(config, store).revoke(key_id, clock) is None:
        raise FarthingError(f"there is no key {key_id}; see `farthing keys list`")
    click.echo(f"{key_id} is revoked.")


def _ring(config: Path | None, store: str | None) -> KeyRing:
    return KeyRing(Path(policy_of(config, store).store.keys))


def _shown(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role,
        "created": key.created,
        "revoked": key.revoked,
    }


def _day(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M")
