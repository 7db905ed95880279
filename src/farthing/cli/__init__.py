"""The ``farthing`` command. Subcommands are imported when they are run: ``farthing --help`` is instant.

Exit codes: 0 ok, 1 something is wrong, 2 bad use. An error is one plain line on stderr.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import cast

import click

from farthing.errors import ConfigError, FarthingError, PriceError, StatementError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("farthing.cli.serve:serve", "Start the gateway and the dashboard."),
    "demo": ("farthing.cli.demo:demo", "A month of sample traffic against a simulated provider, and its bill."),
    "report": ("farthing.cli.report:report", "What was spent, by whom and for what, and what was saved."),
    "requests": ("farthing.cli.requests:requests", "List single requests, or show one with its provider calls."),
    "keys": ("farthing.cli.keys:keys", "Virtual keys for apps and for the dashboard."),
    "cache": ("farthing.cli.cache:cache", "How full the answer cache is; delete answers."),
    "reconcile": ("farthing.cli.reconcile:reconcile", "Hold the ledger against a provider's own statement."),
    "import": ("farthing.cli.importing:importing", "Take over the settings of another program (LiteLLM)."),
    "doctor": ("farthing.cli.doctor:doctor", "What is wrong, and what to do."),
    "models": ("farthing.cli.models:models", "The providers that can be used, and what a model can do."),
    "prices": ("farthing.cli.prices:prices", "Which price holds for a model; newer prices; the past at other prices."),
}
"""Name → where the command is, and the line that ``--help`` shows."""

OK, WRONG, BAD_USE = 0, 1, 2
BAD = (ConfigError, PriceError, StatementError)


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(module), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="farthing", message="farthing %(version)s")
def farthing() -> None:
    """Cut your LLM bill, and prove what was saved.

    Point an app's base_url at `farthing serve`, then ask `farthing report`.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own); gives the exit code."""
    try:
        code: object = farthing.main(arguments, prog_name="farthing", standalone_mode=False)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as problem:
        return _fail(problem.format_message(), BAD_USE)
    except FarthingError as problem:
        return _fail(str(problem), BAD_USE if isinstance(problem, BAD) else WRONG)
    return code if isinstance(code, int) else OK


def _fail(message: str, code: int) -> int:
    click.echo(f"farthing: {' '.join(message.split())}", err=True)
    return code
