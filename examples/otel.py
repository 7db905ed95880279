"""A trace that goes through farthing: the client's span is the parent of farthing's. The collector is set up where
farthing runs (see docs/opentelemetry.md); here only the header is sent.
"""

import os
import sys

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FARTHING_URL", "http://127.0.0.1:8321")

trace.set_tracer_provider(TracerProvider())
client = OpenAI(base_url=f"{BASE}/v1", api_key=os.environ.get("OPENAI_API_KEY", "sk-any"))
with trace.get_tracer("example").start_as_current_span("answer a customer") as span:
    headers: dict[str, str] = {}
    inject(headers)  # traceparent
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "How do I top up my card?"}],
        extra_headers=headers,
    )
print(reply.choices[0].message.content)
print("trace", f"{span.get_span_context().trace_id:032x}")
