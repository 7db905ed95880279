"""The order of the stages."""

from __future__ import annotations

from functools import partial, reduce

from farthing.exchange import Handler, Stage


def pipeline(*, settle: Stage, recall: Stage | None, reach: Stage | None, cross: Stage, send: Handler) -> Handler:
    """Identify and admit have happened when an exchange exists (``pipeline.intake``); then, from the outside in:

    settle   whatever happens further in, it is in the ledger before the client sees the end
    recall   answered before? then not again
    reach    which way, and another one if that fails
    cross    in the words of the API that is spoken there
    send     one call of the provider
    """
    stages = [stage for stage in (settle, recall, reach, cross) if stage is not None]
    return reduce(_before, reversed(stages), send)


def _before(following: Handler, stage: Stage) -> Handler:
    return partial(stage, following=following)
