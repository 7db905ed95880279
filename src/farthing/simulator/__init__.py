"""A simulated provider: the OpenAI and the Anthropic API on the loopback interface, with an invoice and faults.

See ``docs/simulator.md``.
"""

from __future__ import annotations

from farthing.simulator.answers import Answer, Answers, Ask, ToolCall, ToolSpec, standard_answer
from farthing.simulator.billing import Invoice, Line
from farthing.simulator.catalog import CacheRule, Model, Price, standard_models
from farthing.simulator.faults import Faults
from farthing.simulator.server import Control, Received, Simulator, running

__all__ = [
    "Answer",
    "Answers",
    "Ask",
    "CacheRule",
    "Control",
    "Faults",
    "Invoice",
    "Line",
    "Model",
    "Price",
    "Received",
    "Simulator",
    "ToolCall",
    "ToolSpec",
    "running",
    "standard_answer",
    "standard_models",
]
