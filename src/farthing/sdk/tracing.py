"""The trace that an app is in, for the spans that farthing tells a collector of."""

from __future__ import annotations

import sys

from farthing.types import Headers

PROPAGATED = ("traceparent", "tracestate")


def trace_here() -> Headers:
    """The trace that the app is in, if it uses OpenTelemetry: headers, as a call of its own would carry them."""
    if "opentelemetry.trace" not in sys.modules:
        return []
    from opentelemetry.propagate import inject

    found: dict[str, str] = {}
    inject(found)
    return [(name.lower().encode(), value.encode()) for name, value in found.items() if name in PROPAGATED]


def traced(headers: Headers) -> Headers:
    """The headers of a call as a part of that trace, unless they are of one already."""
    if any(name == b"traceparent" for name, _ in headers):
        return headers
    return [*headers, *trace_here()]
