"""One process that serves: its application, who watches it, and the signals that it listens to."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import partial

from farthing import tokens
from farthing.gateway.app import Gateway
from farthing.gateway.doors import DashboardDoor
from farthing.gateway.reload import Reload, Report
from farthing.gateway.signals import on_hangup, on_stop
from farthing.pipeline.runtime import Runtime, Timestamp
from farthing.policy import Policy, Source
from farthing.policy.units import seconds
from farthing.telemetry.observers import observers

GC_THRESHOLDS = (20_000, 20, 50)


def application(policy: Policy, environ: Mapping[str, str], timestamp: Timestamp | None = None) -> Gateway:
    """The gateway of this process."""
    tokens.warm()  # where a tokenizer is installed, loading it stops the process: now nobody waits
    runtime = Runtime(policy, environ, timestamp=timestamp, observers=observers(policy, environ))
    gc.collect()
    gc.freeze()  # what is there at start stays: the collector need not look at it again and again
    gc.set_threshold(*GC_THRESHOLDS)
    return Gateway(runtime, DashboardDoor())


def listening(gateway: Gateway, source: Source, report: Report) -> Gateway:
    """The gateway, which from its start on listens to the process's signals."""
    gateway.on_start = partial(_listen, gateway, Reload(gateway, source, report))
    return gateway


def _listen(gateway: Gateway, reload: Reload) -> None:
    on_stop(gateway.leave, seconds(gateway.runtime.policy.server.notice))
    on_hangup(reload)
