"""The parts of ``benchmarks/soak.py``: traffic, clients, processes, watching, books, verdict, plot."""
