"""A ``farthing.toml`` in the making, with what could not be taken over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

Scalar = str | int | float | bool | list[str]
Table = dict[str, Scalar]


class Sheet(msgspec.Struct):
    """Tables in the order in which they are written; ``notes`` are (thing, why it has no counterpart)."""

    source: str
    mode: str = "observe"
    tables: dict[str, Table] = {}
    providers: dict[str, Table] = {}
    aliases: Table = {}
    fallback: Table = {}
    rates: dict[str, Table] = {}
    notes: list[tuple[str, str]] = []

    def note(self, thing: str, why: str) -> None:
        """Say once that something has no counterpart."""
        if (thing, why) not in self.notes:
            self.notes.append((thing, why))

    def toml(self) -> str:
        """The file."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Made from {_one_line(self.source)} by `farthing import litellm-config`."
        yield f"mode = {_value(self.mode)}"
        for name, table in self.tables.items():
            yield from _table(name, table)
        for name, table in self.providers.items():
            yield from _table(f"providers.{_key(name)}", table)
        for name, table in (("aliases", self.aliases), ("fallback", self.fallback)):
            yield from _table(name, table)
        for name, table in self.rates.items():
            yield from _table(f"rates.{_key(name)}", table)
        if self.notes:
            yield ""
            yield "# Not taken over:"
            for thing, why in self.notes:
                yield f"#   {_one_line(thing)}: {_one_line(why)}"


def _table(name: str, table: Mapping[str, Scalar]) -> Iterator[str]:
    if table:
        yield ""
        yield f"[{name}]"
        for key, value in table.items():
            yield f"{_key(key)} = {_value(value)}"


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _value(name)


def _value(value: Scalar) -> str:
    """As TOML. A string of JSON is one of TOML, but for two characters that TOML wants escaped."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    """A comment ends with its line, and takes no control characters."""
    return "".join(one if one.isprintable() else " " for one in text)
