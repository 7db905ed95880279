"""Where the settings come from, so that they can be read again while farthing runs."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from farthing.errors import ConfigError
from farthing.policy.load import config_file, load_policy
from farthing.policy.model import Policy


class Settings(NamedTuple):
    """What was read: the policy, and the environment that providers' keys are taken from."""

    policy: Policy
    environ: dict[str, str]


class Source(msgspec.Struct, frozen=True):
    """A file, the process's own environment, and a file of more variables."""

    environ: dict[str, str]
    config: Path | None = None
    env_file: Path | None = None

    def read(self) -> Settings:
        """The settings as they are now; a variable of the process goes before one of the file. Raises
        ``ConfigError``.
        """
        environ = {**(read_env(self.env_file) if self.env_file else {}), **self.environ}
        return Settings(load_policy(self.config, environ), environ)

    def files(self, policy: Policy) -> list[Path]:
        """Every file that the settings are read from."""
        prices = Path(policy.prices.file) if policy.prices.file else None
        return [path for path in (config_file(self.config, self.environ), self.env_file, prices) if path is not None]


def read_env(path: Path) -> dict[str, str]:
    """A file of lines ``NAME=value``, as ``docker --env-file`` and systemd take it: the value is taken as it stands,
    less the quotes around it; ``#`` begins a comment line. Raises ``ConfigError``, which shows no value.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise ConfigError(f"{path}: the environment file cannot be read: {why}") from problem
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").lstrip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigError(f"{path} line {number}: should be NAME=value")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value
