"""Whether an answer may be kept, once it is known how it ended."""

from __future__ import annotations

from farthing.types import Outcome

NATURAL_ENDS = frozenset({"stop", "end_turn", "stop_sequence", "completed"})
"""The words by which the APIs say that the model had nothing more to say. Not ``length``, ``max_tokens``,
``content_filter``, ``tool_calls``, ``refusal``, ``pause_turn``, nor one that nobody has heard of yet."""


def storable(operation: str, status: int, outcome: Outcome, recorded: bytes | None, text: str | None) -> str | None:
    """The reason why this reply may not be stored, or ``None`` if it may.

    ``operation`` as in ``Wire.operation``. ``recorded``: the provider's bytes, ``None`` if there were more than the
    recorder's limit. ``text``: what the reply says (``Wire.text``, ``Tap.text``); of no concern for embeddings.
    """
    if status != 200:
        return "status"
    if outcome.error is not None:
        return "error"
    if not outcome.complete:
        return "incomplete"
    if recorded is None:
        return "too_large"
    if outcome.has_tool_calls:
        return "tool_calls"
    return None if operation == "embeddings" else _unnatural(outcome, text)


def _unnatural(outcome: Outcome, text: str | None) -> str | None:
    if outcome.finish_reason not in NATURAL_ENDS:
        return "finish_reason"
    return None if text and not text.isspace() else "empty"
