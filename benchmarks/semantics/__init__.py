"""What ``benchmarks/semantic.py`` replays, and by whom it is answered."""
