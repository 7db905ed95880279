"""``farthing import``: settings of other programs as farthing's."""

from __future__ import annotations

from pathlib import Path

import click

from farthing.errors import ConfigError, FarthingError


@click.group(name="import")
def importing() -> None:
    """Take over the settings of another program."""


@importing.command(name="litellm-config")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file (default: stdout).")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def litellm_config(file: Path, output: Path | None, force: bool) -> None:
    """A config.yaml of LiteLLM's proxy as farthing.toml: providers, aliases, fallbacks, limits.

    What has no counterpart stands at the end as comments. Needs farthing[yaml].
    """
    from farthing.imports.litellm_config import sheet_of

    text = sheet_of(_read(file), file.name).toml()
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise FarthingError(f"{output} is there already; --force overwrites it") from None
    except OSError as problem:
        raise FarthingError(f"{output} cannot be written: {problem.strerror}") from problem
    click.echo(f"{output} is written. `farthing doctor --config {output}` looks at it.", err=True)


def _read(file: Path) -> object:
    try:
        import yaml
    except ImportError:
        raise FarthingError("reading YAML needs one more package: pip install 'farthing[yaml]'") from None
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"{file}: cannot be read: {problem}") from problem
    except yaml.YAMLError as problem:
        raise ConfigError(f"{file}: not valid YAML: {problem}") from problem
