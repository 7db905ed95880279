"""How much a Claude model shall think, and which sampling fields may go with it.

Anthropic refuses thinking together with a forced tool, and before a turn of the assistant that the model shall go on
with. With a fixed budget it also wants the last turn with calls to begin with its signed thinking. Where that cannot
be met, thinking is left out: the answer is worth more.
"""

from __future__ import annotations

from typing import Any

from farthing.wire.translate.conversation import Conversation, Thinking, Traits
from farthing.wire.translate.messages_shapes import (
    RedactedBlock,
    ThinkingBlock,
    ThinkingShape,
    ToolUseBlock,
    Turn,
)
from farthing.wire.translate.thinking import budget_of, effort_of

LEAST_BUDGET = 1024
_USUAL = {"temperature": 1, "top_p": 1}
"""What is meant if nothing is said: leaving it out loses nothing."""
_LEAST_TOP_P = 0.95
"""With thinking, ``top_p`` may be between this and 1."""


def think(
    asked: Thinking | None, traits: Traits, limit: int, turns: list[Turn], *, forced: bool
) -> tuple[ThinkingShape | None, str | None] | None:
    """The ``thinking`` field and the effort; ``None`` if what was asked for cannot be done.

    ``limit`` is ``max_tokens``, ``forced`` whether a tool has to be called.
    """
    if asked is None:
        return None, None
    if asked.effort == "none":
        return _not_at_all(traits)
    if traits.thinking == "none":
        return None
    effort = asked.effort or (None if asked.budget is None else effort_of(asked.budget))
    word = "low" if effort == "minimal" else effort
    if traits.thinking == "effort":
        return None, word
    if forced or turns[-1].role == "assistant":
        return None
    if traits.thinking == "adaptive":
        return ThinkingShape("adaptive"), word
    budget = _budget(asked, limit)
    if budget < LEAST_BUDGET or not _begins_with_thinking(turns):
        return None
    return ThinkingShape("enabled", budget), None


def _not_at_all(traits: Traits) -> tuple[ThinkingShape | None, str | None] | None:
    """Models that think as they see fit do not all take ``disabled``: they are asked for little."""
    if traits.thinking == "budget":
        return ThinkingShape("disabled"), None
    return (None, None) if traits.thinking == "none" else (None, "low")


def _budget(asked: Thinking, limit: int) -> int:
    """Tokens, less than the limit; for an effort at most half of it, so that the answer has room."""
    if asked.budget is not None:
        return min(asked.budget, limit - 1)
    return min(budget_of(asked.effort or "medium"), limit // 2)


def _begins_with_thinking(turns: list[Turn]) -> bool:
    """Whether the turn whose calls were answered last begins with thinking; also if there is none."""
    if len(turns) < 2 or isinstance(calls := turns[-2].content, str):
        return True
    has_calls = any(isinstance(block, ToolUseBlock) for block in calls)
    return not has_calls or isinstance(calls[0], ThinkingBlock | RedactedBlock)


def sampling(asked: Conversation, traits: Traits, lost: dict[str, None], *, thinks: bool) -> dict[str, Any]:
    """``temperature``, ``top_p`` and ``top_k`` as the model takes them; what it does not take is added to ``lost``.

    Newer models take either ``temperature`` or ``top_p``: the first counts.
    """
    heat, top_p = asked.temperature, asked.top_p
    wanted = {"temperature": heat, "top_p": top_p, "top_k": asked.top_k}
    given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    refused: set[str] = set()
    if not traits.sampling:
        refused = set(given)
    elif thinks:
        refused = {"temperature", "top_k"}
        if top_p is not None and top_p < _LEAST_TOP_P:
            refused.add("top_p")
    elif heat is not None:
        refused = {"top_p"}
    lost |= dict.fromkeys(name for name in given if name in refused and given[name] != _USUAL.get(name))
    kept = {name: value for name, value in given.items() if name not in refused}
    if kept.get("temperature", 0) > 1:
        lost["temperature>1"] = None
        kept["temperature"] = 1.0
    return kept
