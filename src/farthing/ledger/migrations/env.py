"""Run by alembic: the connection is handed in by ``farthing.ledger.upgrade``, inside its transaction."""

from __future__ import annotations

from alembic import context

from farthing.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
