"""The parts of ``benchmarks/pressure.py``: what is tried, load, processes, verdict, figures over time."""
