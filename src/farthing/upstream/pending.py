"""A request that a task sends, for pools that are not told when its bytes have gone out."""

from __future__ import annotations

import asyncio

from farthing.upstream.pool import Response


class TaskPending:
    """Implements ``upstream.pool.Pending``."""

    def __init__(self, task: asyncio.Task[Response]) -> None:
        self._task = task

    @property
    def sent(self) -> bool:
        """Nobody says, so it may have."""
        return True

    async def response(self) -> Response:
        """Wait for the reply's headers. Raises ``UpstreamError``."""
        await asyncio.wait((self._task,))  # which leaves it alone if we are cancelled
        return self._task.result()

    def close(self) -> None:
        """Drop the connection, unless the reply has arrived to its end."""
        if not self._task.done():
            self._task.cancel()
        elif not self._task.cancelled() and self._task.exception() is None:
            self._task.result().close()
