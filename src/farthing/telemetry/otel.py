"""Traces and metrics by OpenTelemetry's own SDK (``farthing[otel]``), which is loaded only where it is asked for.

The event loop puts what has been settled into a bounded queue; a thread makes spans of it, and the SDK's own threads
send them. If the collector is down or slow, spans are dropped, and requests know nothing of it.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from farthing import __version__
from farthing.errors import ConfigError
from farthing.exchange import Exchange
from farthing.ledger.records import Call, Settled
from farthing.policy import Policy
from farthing.telemetry import genai
from farthing.telemetry.genai import Peer

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("farthing")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
OWN_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
MOST = 10_000
"""Requests that wait to become spans; further ones are dropped."""
STOP_S = 5.0
PROPAGATED = (b"traceparent", b"tracestate")

_Item = tuple[dict[str, str], Settled]


def exporter(policy: Policy, environ: Mapping[str, str]) -> Exporter | None:
    """The observer, if it is wanted. Raises ``ConfigError`` if the settings want it and its packages are not there."""
    otel = policy.otel
    wanted = any(environ.get(name) for name in (ENDPOINT, *OWN_ENDPOINTS)) if otel.enabled is None else otel.enabled
    if not wanted:
        return None
    try:
        traces, meters = _providers(otel.endpoint or environ.get(ENDPOINT), environ)
    except ImportError as problem:
        way_out = "OpenTelemetry needs more packages: pip install 'farthing[otel]'"
        if otel.enabled:
            raise ConfigError(f"[otel] enabled: {way_out}") from problem
        log.warning("%s is set, but %s", ENDPOINT, way_out)
        return None
    peers = {name: genai.peer(name, provider.base_url) for name, provider in policy.providers.items()}
    return Exporter(traces, meters, peers)


class Exporter:
    """An observer (``pipeline.observe``). Without one of the providers there are no traces, or no metrics."""

    def __init__(
        self,
        traces: TracerProvider | None,
        meters: MeterProvider | None,
        peers: Mapping[str, Peer],
        most: int = MOST,
    ) -> None:
        self._traces, self._meters = traces, meters
        self._spans = None if traces is None else Spans(traces, peers)
        self._figures = None if meters is None else Figures(meters, peers)
        self._queue: queue.Queue[_Item | None] = queue.Queue(most)
        self._thread = threading.Thread(target=self._work, name="farthing otel", daemon=True)
        self._thread.start()
        self.dropped = 0

    def __call__(self, exchange: Exchange, settled: Settled) -> None:
        """Of the exchange only where it belongs in a trace of the client's own."""
        parent = {name.decode(): value.decode("latin-1") for name, value in exchange.headers if name in PROPAGATED}
        try:
            self._queue.put_nowait((parent, settled))
        except queue.Full:
            if not self.dropped:
                log.warning("spans cannot be made as fast as requests come: some are dropped")
            self.dropped += 1

    def close(self) -> None:
        """Send what is left, but not for long: the collector may be down."""
        last = threading.Thread(target=self._finish, name="farthing otel end", daemon=True)
        last.start()
        last.join(STOP_S)

    def _finish(self) -> None:
        self._queue.put(None)
        self._thread.join()
        providers = [one for one in (self._traces, self._meters) if one is not None]
        endings = [threading.Thread(target=one.shutdown, daemon=True) for one in providers]
        for ending in endings:
            ending.start()
        for ending in endings:
            ending.join()

    def _work(self) -> None:
        told = False
        while (item := self._queue.get()) is not None:
            try:
                self._emit(*item)
            except Exception:
                if not told:
                    log.exception("a span could not be made; requests go on")
                told = True

    def _emit(self, parent: Mapping[str, str], settled: Settled) -> None:
        if self._spans is not None:
            self._spans.emit(parent, settled)
        if self._figures is not None:
            self._figures.record(settled)


class Spans:
    """A span for a request, and below it one for each provider call."""

    def __init__(self, traces: TracerProvider, peers: Mapping[str, Peer]) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer, self._peers = traces.get_tracer("farthing", __version__), peers
        self._propagator = TraceContextTextMapPropagator()

    def emit(self, parent: Mapping[str, str], settled: Settled) -> None:
        """What has ended, as it was."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        start = round(settled.ts * 1e9)
        span = self._tracer.start_span(
            f"request {genai.operation(settled) or settled.wire}",
            context=self._propagator.extract(parent),
            kind=SpanKind.SERVER,
            start_time=start,
            attributes=genai.of_request(settled),
        )
        if settled.error is not None or (settled.status or 0) >= 500:
            span.set_status(Status(StatusCode.ERROR))
        for call in settled.calls:
            self._call(set_span_in_context(span), settled, call)
        span.end(start + (settled.latency_us or 0) * 1000)

    def _call(self, parent: Context, settled: Settled, call: Call) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        start = round(call.started * 1e9)
        attributes = genai.of_call(settled, call, self._peers)
        name = " ".join(filter(None, [genai.operation(settled) or "call", call.model]))
        span = self._tracer.start_span(
            name, context=parent, kind=SpanKind.CLIENT, start_time=start, attributes=attributes
        )
        if "error.type" in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(start + (call.latency_us or 0) * 1000)


class Figures:
    """Histograms of the tokens and the time of each provider call."""

    def __init__(self, meters: MeterProvider, peers: Mapping[str, Peer]) -> None:
        meter = meters.get_meter("farthing", __version__)
        self._peers = peers
        self._tokens = meter.create_histogram(
            genai.TOKEN_USAGE, "{token}", "Billed tokens.", explicit_bucket_boundaries_advisory=genai.TOKEN_BOUNDS
        )
        self._duration = meter.create_histogram(
            genai.DURATION, "s", "Of a provider call.", explicit_bucket_boundaries_advisory=genai.DURATION_BOUNDS
        )

    def record(self, settled: Settled) -> None:
        """Those calls that asked a model."""
        if genai.operation(settled) is None:
            return
        for call in settled.calls:
            attributes = genai.of_metrics(settled, call, self._peers)
            if call.latency_us is not None:
                self._duration.record(call.latency_us / 1e6, attributes)
            if call.usage is not None:
                its = (("input", call.usage.prompt_tokens), ("output", genai.output_tokens(call)))
                for kind, number in its:
                    self._tokens.record(number, {**attributes, "gen_ai.token.type": kind})


def _providers(endpoint: str | None, environ: Mapping[str, str]) -> tuple[TracerProvider | None, MeterProvider | None]:
    """Raises ``ImportError``. Everything else (headers, sampling, intervals) is the SDK's, from its own variables."""
    from opentelemetry.sdk.resources import Resource

    about = {"service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    if "OTEL_SERVICE_NAME" not in environ:
        about["service.name"] = "farthing"
    resource, base = Resource.create(about), None if endpoint is None else endpoint.rstrip("/")
    traces = None if environ.get("OTEL_TRACES_EXPORTER") == "none" else _traces(resource, base, environ)
    return traces, None if environ.get("OTEL_METRICS_EXPORTER") == "none" else _meters(resource, base, environ)


def _traces(resource: Resource, base: str | None, environ: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = base is None or OWN_ENDPOINTS[0] in environ
    found = TracerProvider(resource=resource, shutdown_on_exit=False)
    found.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=None if own else f"{base}/v1/traces")))
    return found


def _meters(resource: Resource, base: str | None, environ: Mapping[str, str]) -> MeterProvider:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    own = base is None or OWN_ENDPOINTS[1] in environ
    exporter = OTLPMetricExporter(endpoint=None if own else f"{base}/v1/metrics")
    return MeterProvider([PeriodicExportingMetricReader(exporter)], resource, shutdown_on_exit=False)
