"""Calls that other libraries make, and answers that they ask for: in the same ledger, at the same prices."""
