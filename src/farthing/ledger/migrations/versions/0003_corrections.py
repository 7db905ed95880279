"""What has been corrected afterwards (prices, reconciliation), and what stood there before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "corrections",
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "corrected",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("was", sa.LargeBinary(), nullable=False),
        sa.Column("became", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", "request"),
        sqlite_with_rowid=False,
    )
    op.create_index("corrected_request", "corrected", ["request"])


def downgrade() -> None:
    """Back. The corrections stay in force, but can no longer be undone."""
    op.drop_table("corrected")
    op.drop_table("corrections")
