"""The parts of ``benchmarks/month.py``: the folder, the processes, the books, the checks, the tables."""
