"""Sums by the day beside those by the hour; one histogram for all metrics; a miner of query types for each tenant."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DAY = 86_400
SPAN = 4_096
METRICS = 4
MEASURES = (
    "requests", "errors", "saved", "would_save", "hits_exact", "hits_semantic", "misses", "would_exact",
    "would_semantic", "would_miss", "calls", "cost", "unpriced", "unsettled", "estimated", "input", "cache_read",
    "cache_write_5m", "cache_write_1h", "output", "input_audio", "cache_read_audio", "output_audio", "input_image",
    "output_image", "web_searches", "reasoning",
)  # fmt: skip
Lists = list[dict[int, int]]


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "daily",
        sa.Column("dim", sa.Text(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint("dim", "bucket", "tenant", "key"),
        sqlite_with_rowid=False,
    )
    sums = ", ".join(f"sum({name})" for name in MEASURES)
    op.execute(
        f"INSERT INTO daily SELECT dim, bucket - bucket % {DAY}, tenant, key, {sums} FROM rollups "  # noqa: S608
        f"GROUP BY dim, bucket - bucket % {DAY}, tenant, key"
    )
    op.execute("DELETE FROM rollups WHERE dim = 'user'")
    _change(_joined)
    op.create_table(
        "miners",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("learned", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant"),
        sqlite_with_rowid=False,
    )
    op.execute("DELETE FROM meta WHERE name = 'miner'")
    # One miner has named the types of all tenants: what several of them share may be named after another's prompt.
    # The name comes back, in the tenant's own words, when the type is next seen.
    op.execute(
        "UPDATE query_types SET name = id "
        "WHERE id IN (SELECT id FROM query_types GROUP BY id HAVING count(DISTINCT tenant) > 1)"
    )


def downgrade() -> None:
    """Back. What the miners have learned, and the names that were taken back, are lost."""
    op.drop_table("miners")
    _change(_split)
    op.execute("INSERT INTO rollups SELECT * FROM daily WHERE dim = 'user'")
    op.drop_table("daily")


def _joined(counts: bytes) -> bytes:
    lists = msgspec.msgpack.decode(counts, type=Lists)
    joined = {place * SPAN + bucket: count for place, one in enumerate(lists) for bucket, count in one.items()}
    return msgspec.msgpack.encode(joined)


def _split(counts: bytes) -> bytes:
    lists: Lists = [{} for _ in range(METRICS)]
    for bucket, count in msgspec.msgpack.decode(counts, type=dict[int, int]).items():
        lists[bucket // SPAN][bucket % SPAN] = count
    return msgspec.msgpack.encode(lists)


def _change(how: Callable[[bytes], bytes]) -> None:
    """Every histogram."""
    connection = op.get_bind()
    table = sa.table("histograms", *map(sa.column, ("dim", "bucket", "tenant", "key", "counts")))
    key = [table.c[name] == sa.bindparam(f"its_{name}") for name in ("dim", "bucket", "tenant", "key")]
    changed = [
        {"its_dim": dim, "its_bucket": bucket, "its_tenant": tenant, "its_key": name, "counts": how(counts)}
        for dim, bucket, tenant, name, counts in connection.execute(sa.select(table))
    ]
    if changed:
        connection.execute(sa.update(table).where(*key), changed)
