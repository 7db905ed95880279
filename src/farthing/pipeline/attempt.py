"""One call of a provider while it lasts."""

from __future__ import annotations

from collections.abc import Callable

from farthing.exchange import Exchange, Finished
from farthing.ledger.records import Call
from farthing.pipeline.settlement import TRUNCATED, Price, billable, close_call, lacks_end
from farthing.types import Outcome, Usage
from farthing.upstream.pool import EVENT_STREAM, Response, content_type

Estimate = Callable[[Exchange, str], Usage | None]
"""(exchange, text of the reply) → tokens, for a reply that carried no usage; ``None`` if there is no telling."""


class Attempt:
    """One call of a provider while it lasts; when it ends, it is priced and added to the tally, once."""

    __slots__ = (
        "_began",
        "_ended",
        "_estimate",
        "_exchange",
        "_monotonic",
        "_price_of",
        "_response",
        "_waited_before",
        "id",
        "kind",
    )

    def __init__(
        self,
        exchange: Exchange,
        *,
        price_of: Callable[[Exchange], Price],
        estimate: Estimate,
        monotonic: Callable[[], float],
    ) -> None:
        self.id = f"{exchange.id}.{len(exchange.tally.calls) + 1}"
        self.kind = ""
        """The media type of the reply."""
        self._exchange, self._price_of, self._estimate, self._monotonic = exchange, price_of, estimate, monotonic
        self._began = monotonic()
        self._response: Response | None = None
        self._waited_before = exchange.tally.upstream_s
        self._ended = False

    def answered(self, response: Response) -> None:
        """The reply's headers have arrived."""
        self._response = response
        self.kind = content_type(response.headers)

    def waited(self) -> None:
        """Until its latest bytes arrived it was the provider's time; what has passed since then is ours."""
        heard = self._response.heard if self._response else None
        self._exchange.tally.upstream_s = self._waited_before + (heard or self._monotonic()) - self._began

    def first_byte(self) -> None:
        """The first byte of a stream goes to the client."""
        self.waited()
        self._exchange.tally.first_byte_at = self._monotonic()

    def end(
        self,
        outcome: Outcome,
        error: str | None = None,
        *,
        ended: bool = False,
        text: Callable[[], str] | None = None,
        learn: Callable[[], bytes | None] | None = None,
    ) -> None:
        """Close the call. ``ended``: the reply ended in order, as far as HTTP goes; ``text``: what it says, to estimate
        tokens; ``learn``: its bytes, for who learns.
        """
        if self._ended:
            return
        self._ended = True
        if self._response is None:
            self.waited()
        exchange, tally = self._exchange, self._exchange.tally
        status = 0 if self._response is None else self._response.status
        if ended and lacks_end(status, exchange.wire.operation, outcome):
            error = TRUNCATED
        call = close_call(
            self._call(error),
            outcome,
            billable=billable(exchange.method, exchange.wire.operation, exchange.path),
            price=self._price_of(exchange),
            estimate=lambda: self._estimate(exchange, text()) if text else None,
        )
        tally.calls.append(call)
        tally.served_model = call.model_reported or call.model
        if learn is not None and tally.learners:
            streamed = self.kind == EVENT_STREAM
            finished = Finished(call, outcome, streamed=streamed, content_type=self.kind, body=learn())
            if exchange.translated is not None:
                finished = exchange.translated(finished)
            for learner in tally.learners:
                learner(finished)

    def _call(self, error: str | None) -> Call:
        exchange, first = self._exchange, self._exchange.tally.first_byte_at
        return Call(
            id=self.id,
            provider=exchange.target.provider,
            model=exchange.target.model,
            started=exchange.ts + self._began - exchange.begun,
            status=None if self._response is None else self._response.status,
            error=error,
            provider_request_id=None if self._response is None else _request_id(self._response),
            latency_us=round((self._monotonic() - self._began) * 1e6),
            ttft_us=None if first is None else round((first - self._began) * 1e6),
        )


def _request_id(response: Response) -> str | None:
    for name, value in response.headers:
        if name in (b"x-request-id", b"request-id"):
            return value.decode("latin-1")
    return None
