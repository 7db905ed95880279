"""Spans of wrapped clients: parts of the trace that the app is in."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import openai
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

import farthing
from farthing.policy.model import Otel
from farthing.sdk.tracing import trace_here, traced

ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How do I top up my card?"}]}


@pytest.fixture
def span():
    with TracerProvider().get_tracer("test").start_as_current_span("app") as span:
        yield f"{span.get_span_context().trace_id:032x}"


def test_the_trace_of_the_app(span):
    ((name, value),) = trace_here()
    assert name == b"traceparent"
    assert span.encode() in value


def test_outside_of_any_trace_nothing_is_said():
    assert trace_here() == []


def test_a_call_that_is_part_of_a_trace_stays_in_it(span):
    own = [(b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    assert traced(own) is own
    assert [name for name, _ in traced([(b"accept", b"*/*")])] == [b"accept", b"traceparent"]


class Collector(HTTPServer):
    """Takes what it is told, until it is closed."""

    def __init__(self):
        self.told = []
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            self.server.told.append(body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Not here."""


@pytest.fixture
def collector():
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_collector_gets_the_spans_of_a_wrapped_client(app_of, sim, collector, span, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    app = app_of(sim.url).with_(otel=Otel(enabled=True, endpoint=collector.url))
    app.wrap(openai.OpenAI).chat.completions.create(**ASK)
    farthing.close()
    found = ExportTraceServiceRequest.FromString(collector.told[0]).resource_spans[0]
    spans = {one.name: one.trace_id.hex() for one in found.scope_spans[0].spans}
    assert spans == {"request chat": span, "chat gpt-4o-mini": span}
    assert dict(sim.received[-1].headers)["traceparent"].split("-")[1] == span
