"""farthing cuts a company's LLM bill and proves what it saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from farthing.sdk import close, flush, tags, wrap

__version__ = "0.1.0"
__all__ = ["__version__", "close", "flush", "tags", "wrap"]


def __getattr__(name: str) -> object:
    """What an app uses is imported when it is used."""
    if name in __all__:
        from farthing import sdk

        return getattr(sdk, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
