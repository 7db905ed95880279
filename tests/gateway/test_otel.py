"""A gateway that tells a collector, and one whose collector is down."""

import asyncio

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from farthing.policy.model import Otel

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET_TEXT = "our merger with Globex"
FINE = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"


async def test_the_collector_gets_spans_and_metrics_and_no_secrets(start, sim, saying, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    collector, url = await saying(FINE)
    environ = {"OPENAI_API_KEY": "sk-environment-77aa01", "OTEL_EXPORTER_OTLP_ENDPOINT": url.removesuffix("/v1")}
    house = await start(sim, environ=environ)
    await house.say(SECRET_TEXT, headers={"traceparent": PARENT, "authorization": "Bearer sk-own-5f1c9a"}, user="ada@x")
    await house.app.runtime.observers.close()
    paths = {head.split()[1]: body for head, body in collector.requests}
    found = ExportTraceServiceRequest.FromString(paths[b"/v1/traces"]).resource_spans[0]
    names = {span.name: span for span in found.scope_spans[0].spans}
    assert set(names) == {"request chat", "chat gpt-4o"}
    assert names["request chat"].trace_id.hex() == PARENT.split("-")[1]
    measured = ExportMetricsServiceRequest.FromString(paths[b"/v1/metrics"]).resource_metrics[0].scope_metrics[0]
    assert {one.name for one in measured.metrics} == {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"}
    sent = b"".join(body for _, body in collector.requests)
    secrets = (SECRET_TEXT, "sk-own", "sk-environment", "ada@x")
    assert [secret for secret in secrets if secret.encode() in sent] == []


async def test_a_collector_that_is_down_costs_no_request(start, sim):
    house = await start(sim, otel=Otel(enabled=True, endpoint="http://127.0.0.1:1"))
    replies = await asyncio.gather(*(house.say(f"Question {number}?") for number in range(20)))
    assert {reply.status for reply in replies} == {200}
    assert len(house.rows) == 20
