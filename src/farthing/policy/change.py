"""What differs between two policies, and what of it can hold while farthing runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from farthing.policy.model import Policy

FIXED: Mapping[str, tuple[str, ...]] = {
    "server": ("host", "port", "workers", "grace", "notice", "watch", "log", "log_level", "log_requests"),
    "store": ("url", "retention", "fsync"),
    "cache": ("max_size",),
    "metrics": ("enabled", "labels", "most_values"),
    "otel": ("enabled", "endpoint"),
}
"""Settings that a running gateway is built upon: a change needs a restart."""


def held(old: Policy, new: Policy) -> tuple[Policy, list[str]]:
    """The new policy as far as it can hold now, and the names of settings that wait for a restart."""
    waiting: list[str] = []
    for section, keys in FIXED.items():
        before, after = getattr(old, section), getattr(new, section)
        kept = {key: getattr(before, key) for key in keys if getattr(before, key) != getattr(after, key)}
        waiting += [f"[{section}] {key}" for key in kept]
        new = msgspec.structs.replace(new, **{section: msgspec.structs.replace(after, **kept)})
    return new, waiting


def changed(old: Policy, new: Policy) -> list[str]:
    """The names of all settings that differ."""
    names = (one for one in Policy.__struct_fields__ if one != "notices")
    return [name for one in names for name in _differing(one, getattr(old, one), getattr(new, one))]


def _differing(name: str, old: object, new: object) -> Iterator[str]:
    """A table is looked into; one that is there on one side only is named as a whole."""
    if old == new:
        return
    if isinstance(old, msgspec.Struct) and isinstance(new, msgspec.Struct):
        keys = [key for key in old.__struct_fields__ if getattr(old, key) != getattr(new, key)]
        yield from (f"[{name}] {key}" for key in keys)
    elif isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, object]", old), cast("dict[str, object]", new)
        for key in sorted({*before, *after}):
            yield from _differing(f"{name}.{key}", before.get(key), after.get(key))
    else:
        yield f"[{name}]" if "." in name else name
