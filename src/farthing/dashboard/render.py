"""Templates → HTML. Everything is escaped; a value is never marked as safe."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from farthing import money
from farthing.dashboard import text


class Renderer:
    """Compiles a template when it is first used."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("farthing.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        filters = cast("dict[str, Callable[..., object]]", self._environment.filters)
        filters.update(
            dollars=text.dollars,
            exact=_exact,
            share=text.share,
            count=text.count,
            each=_each,
            moment=text.moment,
            iso=text.iso,
            known=_known,
            path=_path,
        )

    def __call__(self, template: str, **values: object) -> str:
        return self._environment.get_template(template).render(**values)


def _exact(amount: int | None) -> str:
    return text.UNKNOWN if amount is None else f"${money.usd(amount)}"


def _each(amount: int, number: int) -> int | None:
    return money.divide_half_even(amount, number) if number else None


def _known(value: object) -> str:
    return text.UNKNOWN if value is None or value == "" else str(value)


def _path(value: str) -> str:
    """One segment of a path, whatever is in it."""
    return quote(value, safe="", errors="replace")
