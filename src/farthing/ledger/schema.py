"""The tables of the ledger, defined once. Times are microseconds since the epoch, money nano-dollars.

A change here needs a migration beside it (``migrations/versions``) and a new ``upgrade.VERSION``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from farthing.ledger.rollup import MEASURES, METRICS, TOKENS

metadata = MetaData()

requests = Table(
    "requests",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False, comment="settled, or unsettled: its process died"),
    Column("ts", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("user", Text),
    Column("feature", Text),
    Column("session", Text),
    Column("tags", Text, comment="JSON: a list of pairs"),
    Column("query_type", Text, nullable=False, comment="empty: not known"),
    Column("wire", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("provider", Text),
    Column("model", Text, comment="as the app asked for it"),
    Column("served_model", Text),
    Column("stream", Boolean, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("cache", Text, nullable=False),
    Column("would_cache", Text),
    Column("route", Text),
    Column("cost", BigInteger, comment="of all calls; null while any is unknown"),
    Column("baseline", BigInteger),
    Column("latency", BigInteger),
    Column("ttft", BigInteger),
    Column("overhead", BigInteger),
    Column("example", Text),
    Index("requests_ts", "ts"),
)

calls = Table(
    "calls",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the request"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text),
    Column("model_reported", Text),
    Column("started", BigInteger, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("finish_reason", Text),
    Column("provider_request_id", Text),
    Column("service_tier", Text),
    *(Column(name, BigInteger, comment="null: no usage is known") for name in TOKENS),
    Column("raw_usage", Text),
    Column("cost", BigInteger),
    Column("cost_source", Text, nullable=False),
    Column("price_version", Text),
    Column("latency", BigInteger),
    Column("ttft", BigInteger),
    sqlite_with_rowid=False,
)
unknown = calls.c.cost.is_(None)
Index("calls_unknown", calls.c.seq, sqlite_where=unknown, postgresql_where=unknown)

savings = Table(
    "savings",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the request"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("lever", Text, nullable=False),
    Column("nano", BigInteger, nullable=False),
    Column("would", Boolean, nullable=False, comment="only would have been saved: observe mode"),
    sqlite_with_rowid=False,
)

opens = Table(
    "opens",
    metadata,
    Column("id", Text, primary_key=True, comment="of a request that has not ended yet"),
    Column("call_id", Text, primary_key=True),
    Column("owner", Text, nullable=False, comment="of the journal's segment: the process"),
    Column("entry", LargeBinary, nullable=False, comment="the journal's line"),
    Index("opens_owner", "owner"),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("dim", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False, comment="its start, seconds since the epoch"),
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True, comment="empty: the requests named none"),
    *(Column(name, BigInteger, nullable=False) for name in MEASURES),
    sqlite_with_rowid=False,
)

daily = Table(
    "daily",
    metadata,
    Column("dim", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False, comment="a day's start, likewise"),
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in MEASURES),
    sqlite_with_rowid=False,
)

histograms = Table(
    "histograms",
    metadata,
    Column("dim", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("counts", LargeBinary, nullable=False, comment="of " + ", ".join(METRICS)),
)

query_types = Table(
    "query_types",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("example_id", Text, nullable=False, comment="the dearest request seen"),
    Column("example_ts", BigInteger, nullable=False),
    Column("example_cost", BigInteger, nullable=False),
    Column("example", Text, nullable=False),
    sqlite_with_rowid=False,
)

miners = Table(
    "miners",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("learned", LargeBinary, nullable=False, comment="of this tenant's prompts, for query types"),
    sqlite_with_rowid=False,
)

corrections = Table(
    "corrections",
    metadata,
    Column("version", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("made", BigInteger, nullable=False, comment="when it was begun"),
    Column("what", Text, nullable=False, comment="reprice, reconcile"),
    Column("note", Text, nullable=False, comment="by which prices or statement"),
    Column("state", Text, nullable=False, comment="begun, applied, undone"),
    Column("requests", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False, comment="of the cost of all of them"),
)

corrected = Table(
    "corrected",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False, comment="of the correction"),
    Column("request", Text, primary_key=True, comment="its id"),
    Column("was", LargeBinary, nullable=False, comment="its bill before: JSON"),
    Column("became", LargeBinary, nullable=False, comment="and after"),
    Index("corrected_request", "request"),
    sqlite_with_rowid=False,
)

segments = Table(
    "segments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("offset", BigInteger, nullable=False, comment="what lies before is in the ledger"),
    Column("corrupt", BigInteger, nullable=False, comment="lines that were no entries"),
    sqlite_with_rowid=False,
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
