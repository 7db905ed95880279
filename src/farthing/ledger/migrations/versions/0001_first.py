"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "calls",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("model_reported", sa.Text()),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("finish_reason", sa.Text()),
        sa.Column("provider_request_id", sa.Text()),
        sa.Column("service_tier", sa.Text()),
        sa.Column("input", sa.BigInteger()),
        sa.Column("cache_read", sa.BigInteger()),
        sa.Column("cache_write_5m", sa.BigInteger()),
        sa.Column("cache_write_1h", sa.BigInteger()),
        sa.Column("output", sa.BigInteger()),
        sa.Column("input_audio", sa.BigInteger()),
        sa.Column("cache_read_audio", sa.BigInteger()),
        sa.Column("output_audio", sa.BigInteger()),
        sa.Column("input_image", sa.BigInteger()),
        sa.Column("output_image", sa.BigInteger()),
        sa.Column("web_searches", sa.BigInteger()),
        sa.Column("reasoning", sa.BigInteger()),
        sa.Column("raw_usage", sa.Text()),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("cost_source", sa.Text(), nullable=False),
        sa.Column("price_version", sa.Text()),
        sa.Column("latency", sa.BigInteger()),
        sa.Column("ttft", sa.BigInteger()),
        sa.PrimaryKeyConstraint("seq", "number"),
        sqlite_with_rowid=False,
    )
    unknown = sa.text("cost IS NULL")
    op.create_index("calls_unknown", "calls", ["seq"], sqlite_where=unknown, postgresql_where=unknown)
    op.create_table(
        "histograms",
        sa.Column("dim", sa.Text(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dim", "bucket", "tenant", "key"),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "opens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", "call_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("opens_owner", "opens", ["owner"])
    op.create_table(
        "query_types",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("example_id", sa.Text(), nullable=False),
        sa.Column("example_ts", sa.BigInteger(), nullable=False),
        sa.Column("example_cost", sa.BigInteger(), nullable=False),
        sa.Column("example", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "requests",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("user", sa.Text()),
        sa.Column("feature", sa.Text()),
        sa.Column("session", sa.Text()),
        sa.Column("tags", sa.Text()),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("wire", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("served_model", sa.Text()),
        sa.Column("stream", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("cache", sa.Text(), nullable=False),
        sa.Column("would_cache", sa.Text()),
        sa.Column("route", sa.Text()),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("baseline", sa.BigInteger()),
        sa.Column("latency", sa.BigInteger()),
        sa.Column("ttft", sa.BigInteger()),
        sa.Column("overhead", sa.BigInteger()),
        sa.Column("example", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("requests_ts", "requests", ["ts"])
    op.create_table(
        "rollups",
        sa.Column("dim", sa.Text(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("saved", sa.BigInteger(), nullable=False),
        sa.Column("would_save", sa.BigInteger(), nullable=False),
        sa.Column("hits_exact", sa.BigInteger(), nullable=False),
        sa.Column("hits_semantic", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.Column("would_exact", sa.BigInteger(), nullable=False),
        sa.Column("would_semantic", sa.BigInteger(), nullable=False),
        sa.Column("would_miss", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.Column("unsettled", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.BigInteger(), nullable=False),
        sa.Column("cache_read", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_5m", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_1h", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.BigInteger(), nullable=False),
        sa.Column("input_audio", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_audio", sa.BigInteger(), nullable=False),
        sa.Column("output_audio", sa.BigInteger(), nullable=False),
        sa.Column("input_image", sa.BigInteger(), nullable=False),
        sa.Column("output_image", sa.BigInteger(), nullable=False),
        sa.Column("web_searches", sa.BigInteger(), nullable=False),
        sa.Column("reasoning", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dim", "bucket", "tenant", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "savings",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lever", sa.Text(), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.Column("would", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "segments",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("corrupt", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("segments")
    op.drop_table("savings")
    op.drop_table("rollups")
    op.drop_index("requests_ts", table_name="requests")
    op.drop_table("requests")
    op.drop_table("query_types")
    op.drop_index("opens_owner", table_name="opens")
    op.drop_table("opens")
    op.drop_table("meta")
    op.drop_table("histograms")
    op.drop_index("calls_unknown", table_name="calls")
    op.drop_table("calls")
