"""The ledger's migrations (alembic), shipped with the package and applied when a ledger is opened."""
