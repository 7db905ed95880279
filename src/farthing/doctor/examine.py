"""The whole examination, in the order in which things depend on one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from farthing.doctor import books, disk, keys, machine, network, settings
from farthing.doctor.cache import cache
from farthing.doctor.finding import Finding, bad
from farthing.errors import ConfigError
from farthing.policy import Source
from farthing.types import Clock


async def examine(
    source: Source, *, clock: Clock, monotonic: Callable[[], float], offline: bool
) -> AsyncIterator[Finding]:
    """Every look, as it is done. ``offline``: no provider is asked."""
    try:
        policy, environ = source.read()
    except ConfigError as problem:
        yield bad("settings", str(problem), "mend it: nothing else can be looked at before")
        return
    there = machine.at_port(policy)
    looks = (
        settings.settings(source, policy),
        settings.prices(policy, clock()),
        keys.provider_keys(policy, environ),
        keys.virtual_keys(policy),
        machine.port(policy, there, books.writers(policy)),
        machine.open_files(),
        disk.room(policy),
        disk.journal(policy),
        disk.rights(policy),
        books.ledger(policy),
        books.keeper(policy, clock(), serving=bool(there and there.farthing and books.writers(policy))),
        cache(policy, there),
    )
    for look in looks:
        for one in look:
            yield one
    if not offline:
        async for one in network.providers(policy, environ, clock, monotonic):
            yield one
