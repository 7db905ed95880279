"""The door for apps in the same process: ``farthing.wrap(client)``. No server, the same pipeline and ledger."""

from __future__ import annotations

import os
from collections.abc import Mapping

from farthing.policy import Policy
from farthing.sdk.engines import ENGINES, EXIT_S
from farthing.sdk.naming import tags
from farthing.sdk.places import Places
from farthing.sdk.settings import setup_of
from farthing.sdk.wrapping import Client, api_of, wrapped

__all__ = ["close", "flush", "tags", "wrap"]


def wrap(
    client: Client,
    *,
    config: str | os.PathLike[str] | Policy | None = None,
    mode: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Client:
    """A copy of an official client whose calls go through farthing, in this process: recorded, and in ``save`` mode
    made cheaper.

    ``client``: an ``openai.OpenAI``, ``AsyncOpenAI``, ``anthropic.Anthropic`` or ``AsyncAnthropic``. It stays as it is.
    ``config``: a ``farthing.toml`` or a policy; without it ``FARTHING_CONFIG``, ``./farthing.toml`` or the defaults.
    ``mode``: ``observe`` or ``save``, whatever the settings say. ``environ``: in place of the process's own.

    Raises ``ConfigError`` if a setting is wrong, ``StoreError`` if the ledger's files cannot be used, ``PriceError``,
    and ``TypeError`` for other clients.
    """
    api = api_of(client)
    setup = setup_of(config, mode, environ)

    def places(base_url: str) -> Places:
        found = Places(api, base_url, setup, lambda policy: ENGINES.setup(policy, setup.environ))
        ENGINES.seat(found.first.setup)  # what cannot work is told now
        return found

    return wrapped(client, places)


def flush(timeout: float = EXIT_S) -> bool:
    """Wait until all that has ended is in the ledger, at most so many seconds; whether it is."""
    return ENGINES.flush(timeout)


def close(timeout: float = EXIT_S) -> None:
    """End what is under way and enter it, as at the end of the interpreter, which does it by itself.

    Takes about ``timeout`` seconds at most. A call that a wrapped client makes afterwards begins anew.
    """
    ENGINES.close(timeout)
