"""The test stand of ``benchmarks/gateway.py``: upstreams, contenders, load and figures."""
