"""The steps of ``scripts/distill.py``."""
