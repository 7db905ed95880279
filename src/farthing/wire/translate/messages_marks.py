"""Prompt-cache breakpoints as Anthropic takes them: at most four, those for an hour before those for five minutes."""

from __future__ import annotations

from collections.abc import Iterator

from farthing.wire.translate.messages_shapes import (
    Block,
    Cache,
    DocumentBlock,
    ImageBlock,
    RedactedBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolShape,
    ToolUseBlock,
    Turn,
    UnknownBlock,
)

_MOST = 4
Holder = ToolShape | TextBlock | ImageBlock | DocumentBlock | ToolUseBlock | ToolResultBlock


def are_settled(body: bytes) -> bool:
    """Whether the breakpoints in a written request may stay as they are, at a glance."""
    marks = body.count(b'"cache_control":')
    return marks == 0 or (marks <= _MOST and body.count(b'"ttl":"1h"') in (0, marks))


def settle(
    tools: list[ToolShape], system: str | list[TextBlock] | None, turns: list[Turn], lost: dict[str, None]
) -> None:
    """Change what would be refused: of too many the first ones go, as the last ones reach further; an hour that comes
    too late becomes five minutes. Either is told in ``lost``.
    """
    marked = [holder for holder in _holders(tools, system, turns) if holder.cache_control is not None]
    for holder in marked[:-_MOST]:
        holder.cache_control = None
        lost["cache_control"] = None
    short = False
    for holder in marked[-_MOST:]:
        if short and holder.cache_control is not None and holder.cache_control.ttl is not None:
            holder.cache_control = Cache()
            lost["cache_control"] = None
        short = short or holder.cache_control == Cache()


def _holders(tools: list[ToolShape], system: str | list[TextBlock] | None, turns: list[Turn]) -> Iterator[Holder]:
    """All that can have a breakpoint, in the order of the prompt."""
    yield from tools
    if isinstance(system, list):
        yield from system
    for turn in turns:
        if not isinstance(turn.content, str):
            yield from _within(turn.content)


def _within(blocks: list[Block]) -> Iterator[Holder]:
    for block in blocks:
        if isinstance(block, ToolResultBlock) and isinstance(block.content, list):
            yield from _within(block.content)
        if not isinstance(block, ThinkingBlock | RedactedBlock | UnknownBlock):
            yield block
