"""Those who are told of every request."""

from __future__ import annotations

from collections.abc import Mapping

from farthing.policy import Policy
from farthing.telemetry import otel
from farthing.telemetry.request_log import RequestLog


def observers(policy: Policy, environ: Mapping[str, str]) -> list[RequestLog | otel.Exporter]:
    """As the settings have it. Raises ``ConfigError``."""
    found = [RequestLog() if policy.server.log_requests else None, otel.exporter(policy, environ)]
    return [one for one in found if one is not None]
