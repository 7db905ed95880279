"""farthing cuts a company's LLM bill and proves what it saved."""

from __future__ import annotations

__version__ = "0.1.0"
