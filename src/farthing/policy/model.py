"""The settings and their defaults. One struct a table of ``farthing.toml``; the docstrings are the reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from farthing.policy.provider import BUILT_IN, Provider
from farthing.policy.units import seconds, size


def _check(key: str, parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as problem:
        raise ValueError(f"{key}: {problem}") from None


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway listens and how much it takes."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs virtual keys (``farthing keys create``)."""
    port: int = 8321
    """TCP port."""
    workers: int = 1
    """Processes that serve; all share one store and one cache."""
    max_body: str = "64MB"
    """Largest request body; a larger one gets 413."""
    grace: str = "30s"
    """How long a stop waits for what is in flight."""
    notice: str = "0s"
    """How long a stop goes on taking requests while ``/readyz`` already says 503: for load balancers to notice."""
    watch: bool = False
    """Look every two seconds whether the files of the settings have changed, and take them on as at SIGHUP."""
    connect_timeout: str = "10s"
    """Longest wait for a connection to a provider."""
    read_timeout: str = "600s"
    """Longest silence of a provider, before the first byte or between two."""
    hangup: Literal["auto", "cancel", "drain"] = "auto"
    """What becomes of a call whose client has left. ``cancel``: its connection is closed, the cost estimated.
    ``drain``: it is read on until the provider has said what it costs. ``auto``: drain where that costs nothing more
    (replies in one piece, streams that lack only their usage), cancel other streams."""
    hangup_limit: str = "60s"
    """How long a reply is read on for at most after its client has left."""
    log: Literal["text", "json"] = "text"
    """What the log on stderr looks like; see ``docs/logs.md``."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is worth a line."""
    log_requests: bool = False
    """A line for every request that has ended: names and figures, no texts."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port} is not between 0 and 65535")
        if not 1 <= self.workers <= 256:
            raise ValueError(f"workers: {self.workers} is not between 1 and 256")
        _check("max_body", size, self.max_body)
        for key in ("grace", "notice", "connect_timeout", "read_timeout", "hangup_limit"):
            _check(key, seconds, getattr(self, key))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the ledger lives."""

    url: str = "sqlite:///farthing.db"
    """The database. The journal lies beside it, in ``<database>.journal/``; the cache in ``<database>.cache/``."""
    examples: bool = True
    """Keep the beginning of a question (240 characters) per query type and request, to show what costs."""
    retention: str = "400d"
    """How long single requests are kept; the hourly sums stay."""
    fsync: bool = False
    """Flush the journal to the disk at every write: survives a power cut, not only a killed process."""

    def __post_init__(self) -> None:
        _check("retention", seconds, self.retention)
        if not self.url.startswith("sqlite:///"):
            scheme = self.url.split(":", 1)[0]
            raise ValueError(f"url: {scheme}: is not supported by this version; use sqlite:///path/to/farthing.db")

    @property
    def path(self) -> str:
        """The database file."""
        return self.url.removeprefix("sqlite:///")

    @property
    def journal(self) -> str:
        """The folder of the journal."""
        return self.path + ".journal"

    @property
    def keys(self) -> str:
        """The file of the virtual keys."""
        return self.path + ".keys.json"

    @property
    def prices(self) -> str:
        """The file of a newer price catalogue (``farthing prices update``)."""
        return self.path + ".prices.json"

    @property
    def cache(self) -> str:
        """The folder of the answer cache."""
        return self.path + ".cache"

    @property
    def metrics(self) -> str:
        """The folder of what the metrics have told."""
        return self.path + ".metrics"


class Tiers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Models by what they are good for, the first first. In ``save`` mode a request whose model is at its limit or down
    goes to the next one of the same tier that can take it.
    """

    simple: tuple[str, ...] = ("gpt-4o-mini",)
    """For plain questions."""
    moderate: tuple[str, ...] = ("claude-3-5-sonnet-20241022",)
    """For most work."""
    complex: tuple[str, ...] = ("gpt-4o",)
    """For what needs thought."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model can do, where you know better than the built-in data (``docs/models.md``). A request goes to no
    other model than the one that was asked for unless that can take it.
    """

    context: int | None = None
    """Tokens of its window."""
    max_output: int | None = None
    """Tokens of its longest reply."""
    tools: bool | None = None
    """Whether it can call tools."""
    parallel_tools: bool | None = None
    """Whether it can call several at once."""
    images: bool | None = None
    """Whether it takes images; without more said, also documents and audio."""
    documents: bool | None = None
    """Whether it takes PDF documents."""
    audio: bool | None = None
    """Whether it takes sound."""
    json_schema: bool | Literal["native", "tool", "none"] | None = None
    """How it keeps to a JSON schema: by itself (``true`` or ``"native"``), by a tool that it is made to call, or not at
    all (``false`` or ``"none"``)."""
    json_object: bool | None = None
    """Whether it has a mode for JSON without a schema."""
    thinking: Literal["adaptive", "budget", "effort", "none"] | None = None
    """How it is told to think: as it sees fit, by a budget of tokens, by an effort, or not at all."""
    sampling: bool | None = None
    """Whether it takes ``temperature``, ``top_p`` and ``top_k``."""
    cache_minimum: int | None = None
    """Tokens of the shortest prefix that the provider caches."""
    batch: bool | None = None
    """Whether it can be called in batches."""
    flex: bool | None = None
    """Whether it has a cheaper, slower tier."""
    priority: bool | None = None
    """Whether it has a dearer, faster tier."""
    streaming: bool | None = None
    """Whether it can answer in a stream."""
    apis: tuple[Literal["chat", "responses", "messages", "embeddings"], ...] | None = None
    """The APIs that it can be called on."""

    def __post_init__(self) -> None:
        for key in ("context", "max_output", "cache_minimum"):
            value: int | None = getattr(self, key)
            if value is not None and value < 1:
                raise ValueError(f"{key}: {value} is not above 0")


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls that failed for a passing reason (``save`` mode): made again, before a byte has reached the client."""

    attempts: int = 3
    """Calls of a provider for one request at most, the first included; 1: none is made again."""
    deadline: str = "60s"
    """No further call begins later than this after the request came."""
    budget: float = 0.2
    """Retries at most, as a share of requests: a provider that is down is not hit harder than before."""

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= 10:
            raise ValueError(f"attempts: {self.attempts} is not between 1 and 10")
        if not 0 <= self.budget <= 1:
            raise ValueError(f"budget: {self.budget} is not between 0 and 1")
        _check("deadline", seconds, self.deadline)


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each key of a provider may be asked for. ``NAME`` is a provider, or ``"provider/model"`` with ``*``: all
    models that fit share the limit. A call needs room in every limit that fits it, else it waits; tenants take turns.
    """

    requests_per_minute: int | None = None
    """Calls a minute, shared by all workers."""
    tokens_per_minute: int | None = None
    """Tokens a minute, shared by all workers: estimated before a call, corrected by its usage."""
    burst: str = "1s"
    """How much of a minute's requests may go at once, at least one: providers count in short slices."""
    burst_tokens: str = "15s"
    """How much of a minute's tokens may go at once. A larger call goes when as much is free, and the rest is owed."""
    queue: int = 1000
    """Calls of one tenant that may wait, shared by all workers; one more gets 429 ``farthing_rate_limited``."""
    wait: str = "30s"
    """Longest wait for room. Who would wait longer is told at once, with ``retry-after``."""

    def __post_init__(self) -> None:
        for key in ("requests_per_minute", "tokens_per_minute"):
            value: int | None = getattr(self, key)
            if value is not None and value < 1:
                raise ValueError(f"{key}: {value} is not above 0")
        if self.requests_per_minute is None and self.tokens_per_minute is None:
            raise ValueError("requests_per_minute: is missing, and so is tokens_per_minute; one of them is needed")
        if self.queue < 0:
            raise ValueError(f"queue: {self.queue} is below 0")
        for key in ("burst", "burst_tokens", "wait"):
            _check(key, seconds, getattr(self, key))


class Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers that are not paid for twice."""

    exact: bool = True
    """Serve a request that equals an earlier one in everything that may change the answer."""
    semantic: bool = True
    """Serve also a question that means the same as an earlier one, where everything else is equal; needs ``exact``."""
    threshold: float = 0.92
    """How similar two questions have to be at least, from 0 to 1: higher is stricter."""
    max_error: float = 0.01
    """Not in this version: accepted and ignored."""
    ttl: str = "7d"
    """How long an answer may be served."""
    max_size: str = "1GB"
    """Bound of the cache on disk; beyond it the answers that save least per byte go."""
    scope: Literal["tenant", "user"] = "tenant"
    """Who may share an answer: all users of a tenant, or each user alone."""
    wait: str = "30s"
    """How long a request waits for an identical one that is already under way."""

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold: {self.threshold} is not between 0 and 1")
        _check("ttl", seconds, self.ttl)
        _check("wait", seconds, self.wait)
        _check("max_size", size, self.max_size)


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``/metrics`` tells, and whom; see ``docs/metrics.md``."""

    enabled: bool = True
    """Answer at ``/metrics``."""
    public: bool = False
    """Off loopback: answer everybody, not only those with an admin key. What is told is what every tenant spends."""
    labels: tuple[Literal["tenant", "model", "provider", "feature"], ...] = ("tenant", "model", "provider", "feature")
    """What the metrics are split by. Users are none of it: there is no end of them."""
    most_values: int = 100
    """Values of one label; all that come later are ``_other``."""

    def __post_init__(self) -> None:
        if not 1 <= self.most_values <= 10_000:
            raise ValueError(f"most_values: {self.most_values} is not between 1 and 10000")


class Otel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Traces and metrics to an OpenTelemetry collector (``farthing[otel]``); see ``docs/opentelemetry.md``."""

    enabled: bool | None = None
    """Left out: where ``OTEL_EXPORTER_OTLP_ENDPOINT`` is set."""
    endpoint: str | None = None
    """Where the collector is (OTLP over HTTP), for example ``http://127.0.0.1:4318``; goes before the variable."""

    def __post_init__(self) -> None:
        if self.endpoint is not None and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"endpoint: {self.endpoint!r} does not start with http:// or https://")


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where prices come from."""

    file: str | None = None
    """A TOML file whose prices go before the built-in ones; see ``docs/prices.md``."""


class Policy(msgspec.Struct, frozen=True):
    """Everything that is configured."""

    mode: Literal["observe", "save"] = "observe"
    """``observe``: touch nothing, measure and say what would have been saved. ``save``: levers on."""
    server: Server = Server()
    store: Store = Store()
    providers: dict[str, Provider] = msgspec.field(default_factory=lambda: dict(BUILT_IN))
    retries: Retries = Retries()
    rates: dict[str, Rates] = {}
    tiers: Tiers = Tiers()
    fallback: dict[str, tuple[str, ...]] = {}
    """Model (with ``*``) → the models that take its requests when it cannot; goes before the tier."""
    aliases: dict[str, str] = {}
    """A name that clients ask for → the model that is meant."""
    models: dict[str, Model] = {}
    cache: Cache = Cache()
    prices: Prices = Prices()
    metrics: Metrics = Metrics()
    otel: Otel = Otel()
    notices: tuple[str, ...] = ()
    """Settings that were read and have no effect in this version."""
