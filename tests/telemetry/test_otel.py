"""Spans and metrics of what has been settled, as OpenTelemetry's own SDK records them."""

import sys
import threading

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from farthing.errors import ConfigError
from farthing.ledger.records import Call, Settled
from farthing.policy import Policy
from farthing.policy.model import Otel
from farthing.telemetry import genai, otel
from farthing.telemetry.otel import Exporter
from farthing.types import Caller, Usage

NOW = 1_750_000_000.0
PEERS = {"openai": genai.peer("openai", "https://api.openai.com/v1")}
CALL = Call(
    id="fr_1.1", provider="openai", model="gpt-4o", started=NOW + 0.25, model_reported="gpt-4o-2024-08-06", status=200,
    finish_reason="stop", usage=Usage(input=60, cache_read=30, cache_write_5m=10, output=20, reasoning=5),
    cost_nano=500, cost_source="usage", latency_us=500_000, ttft_us=200_000,
)  # fmt: skip
SETTLED = Settled(
    id="fr_1", ts=NOW, caller=Caller("acme", "ada", "chat", "s1"), wire="openai.chat", path="/v1/chat/completions",
    provider="openai", model="gpt-4o", status=200, calls=(CALL,), cost_nano=500, baseline_nano=700, latency_us=1_000_000,
)  # fmt: skip
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Asked:
    """All of an exchange that may be looked at."""

    def __init__(self, **headers):
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]


def spans(*settled, **headers):
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    observer = Exporter(provider, None, PEERS)
    for one in settled:
        observer(Asked(**headers), one)
    observer.close()
    return exporter.get_finished_spans()


def replaced(struct, **changes):
    return type(struct)(**{name: getattr(struct, name) for name in struct.__struct_fields__} | changes)


def test_a_request_and_its_call():
    call, request = spans(SETTLED)
    assert (request.name, request.kind) == ("request chat", SpanKind.SERVER)
    assert (call.name, call.kind) == ("chat gpt-4o", SpanKind.CLIENT)
    assert call.parent.span_id == request.context.span_id
    assert (request.start_time, request.end_time) == (NOW * 1e9, (NOW + 1) * 1e9)
    assert (call.start_time, call.end_time) == pytest.approx(((NOW + 0.25) * 1e9, (NOW + 0.75) * 1e9), rel=1e-15)
    assert dict(call.attributes) | {"gen_ai.response.finish_reasons": "stop"} == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.request.stream": False, "gen_ai.conversation.id": "s1",
        "gen_ai.response.finish_reasons": "stop", "gen_ai.response.time_to_first_chunk": 0.2,
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5, "server.address": "api.openai.com", "server.port": 443,
        "http.response.status_code": 200, "farthing.call.id": "fr_1.1", "farthing.call.purpose": "answer",
        "farthing.cost.nano_usd": 500, "farthing.cost.source": "usage",
    }  # fmt: skip
    assert request.attributes["farthing.baseline.nano_usd"] == 700
    assert request.status.status_code == StatusCode.UNSET
    assert not any("ada" in str(value) for span in (call, request) for value in span.attributes.values())


def test_it_is_part_of_the_client_s_trace():
    _, request = spans(SETTLED, traceparent=PARENT)
    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]
    assert spans(SETTLED, traceparent="nonsense")[1].parent is None


def test_every_attempt_is_a_span_and_what_failed_is_an_error():
    failed = replaced(CALL, id="fr_1.0", status=529, error="overloaded_error", usage=None, cost_nano=0)
    one, two, request = spans(replaced(SETTLED, calls=(failed, CALL)))
    assert (one.attributes["error.type"], one.status.status_code) == ("overloaded_error", StatusCode.ERROR)
    assert "gen_ai.usage.input_tokens" not in one.attributes
    assert two.status.status_code == request.status.status_code == StatusCode.UNSET


def test_a_client_error_is_told_by_its_status():
    refused = replaced(SETTLED, calls=(replaced(CALL, status=404, usage=None),), status=404)
    call, request = spans(refused)
    assert call.attributes["error.type"] == request.attributes["error.type"] == "404"


def test_an_answer_from_the_cache_has_no_call():
    (request,) = spans(replaced(SETTLED, calls=(), cache="exact", cost_nano=0))
    assert (request.attributes["farthing.cache"], request.attributes["farthing.cost.nano_usd"]) == ("exact", 0)


def test_tokens_and_durations_are_measured():
    reader = InMemoryMetricReader()
    observer = Exporter(None, MeterProvider([reader], shutdown_on_exit=False), PEERS)
    observer(Asked(), SETTLED)
    observer(Asked(), replaced(SETTLED, wire="openai.models"))
    observer._queue.put(None)
    observer._thread.join()
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    found = {metric.name: metric.data.data_points for metric in scope.metrics}
    tokens = {point.attributes["gen_ai.token.type"]: point for point in found["gen_ai.client.token.usage"]}
    assert (tokens["input"].sum, tokens["output"].sum) == (100, 20)
    assert tokens["input"].explicit_bounds[:3] == (1, 4, 16)
    (duration,) = found["gen_ai.client.operation.duration"]
    assert (duration.sum, duration.count) == (0.5, 1)
    assert duration.attributes["gen_ai.request.model"] == "gpt-4o"
    assert "tenant" not in str(duration.attributes)
    observer._meters.shutdown()


def test_when_spans_cannot_be_made_as_fast_as_requests_come_they_are_dropped(caplog):
    stuck, go = threading.Event(), threading.Event()

    class Slow(InMemorySpanExporter):
        def export(self, spans):
            stuck.set()
            assert go.wait(30)
            return super().export(spans)

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(Slow()))
    observer = Exporter(provider, None, PEERS, most=2)
    observer(Asked(), SETTLED)
    assert stuck.wait(30)
    for _ in range(5):
        observer(Asked(), SETTLED)
    assert observer.dropped == 3
    assert len(caplog.records) == 1
    go.set()
    observer.close()


@pytest.mark.parametrize(
    ("name", "url", "peer"),
    [
        ("openai", "https://api.openai.com/v1", ("openai", "api.openai.com", 443)),
        ("fast", "https://api.groq.com/openai/v1", ("groq", "api.groq.com", 443)),
        ("ours", "https://x.openai.azure.com", ("azure.ai.openai", "x.openai.azure.com", 443)),
        ("local", "http://127.0.0.1:9000/v1", ("local", "127.0.0.1", 9000)),
    ],
)
def test_providers_go_by_their_known_names(name, url, peer):
    assert genai.peer(name, url) == peer


def test_it_is_off_unless_it_is_asked_for():
    assert otel.exporter(Policy(), {}) is None
    assert otel.exporter(Policy(otel=Otel(enabled=False)), {otel.ENDPOINT: "http://127.0.0.1:1"}) is None


def test_without_its_packages(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(ConfigError, match=r"pip install 'farthing\[otel\]'"):
        otel.exporter(Policy(otel=Otel(enabled=True)), {})
    assert otel.exporter(Policy(), {otel.ENDPOINT: "http://127.0.0.1:1"}) is None
    assert "farthing[otel]" in caplog.text
