"""Settings as an app gives them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from farthing.errors import ConfigError
from farthing.policy import Policy, load_policy
from farthing.policy.load import MODES
from farthing.sdk.engine import Setup
from farthing.sdk.engines import ENGINES


def setup_of(
    config: str | os.PathLike[str] | Policy | None, mode: str | None, environ: Mapping[str, str] | None
) -> Setup:
    """The one for a ``farthing.toml`` or a policy; without it for ``FARTHING_CONFIG``, ``./farthing.toml`` or the
    defaults. ``environ``: in place of the process's own. Raises ``ConfigError``.
    """
    environ = dict(os.environ if environ is None else environ)
    return ENGINES.setup(_settled(policy_of(config, environ), mode), environ)


def policy_of(config: str | os.PathLike[str] | Policy | None, environ: Mapping[str, str] | None = None) -> Policy:
    """The policy alone. Raises ``ConfigError``."""
    if isinstance(config, Policy):
        return config
    return load_policy(None if config is None else Path(config), os.environ if environ is None else environ)


def _settled(policy: Policy, mode: str | None) -> Policy:
    """With this mode, and with the ledger where it is now, wherever the process goes."""
    if mode not in (None, *MODES):
        raise ConfigError(f"wrap(mode={mode!r}): allowed are {' and '.join(MODES)}")
    url = f"sqlite:///{Path(policy.store.path).resolve()}"
    store = msgspec.structs.replace(policy.store, url=url)
    return msgspec.structs.replace(policy, mode=mode or policy.mode, store=store)
