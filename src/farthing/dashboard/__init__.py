"""The page at ``/farthing/`` and its JSON API: reads the ledger, changes nothing."""
