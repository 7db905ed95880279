"""What is translated in ``benchmarks/translate.py``, and by whom."""
