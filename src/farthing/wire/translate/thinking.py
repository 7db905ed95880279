"""How much a model shall think: an effort in one API, a budget of tokens in the other. Pure.

OpenAI has words, the older Claude models a number of tokens, the newer ones words as well. One table leads from the
words to the numbers; back from a number only to the three words that every reasoning model knows.
"""

from __future__ import annotations

from typing import Final

from farthing.wire.translate.conversation import Effort

BUDGETS: Final[dict[Effort, int]] = {
    "none": 0,
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 65_536,
}
"""Tokens of thinking for an effort. 1,024 is the least that Anthropic takes; 0: no thinking."""


def budget_of(effort: Effort) -> int:
    """The tokens that stand for an effort.

    >>> budget_of("low"), budget_of("high")
    (2048, 16384)
    """
    return BUDGETS[effort]


def effort_of(budget: int) -> Effort:
    """The effort for so many tokens: the least of ``low``, ``medium``, ``high`` that covers them, or ``high``.

    >>> effort_of(1024), effort_of(2049), effort_of(100_000)
    ('low', 'medium', 'high')
    """
    return "low" if budget <= BUDGETS["low"] else "medium" if budget <= BUDGETS["medium"] else "high"
