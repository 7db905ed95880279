"""Serves TensorZero's embedded gateway over HTTP. Run by the peer's own Python as ``tensorzero_http.py CONFIG``.

The wheel has no server command; it opens a local HTTP port for ``patch_openai_client``, and that is what is measured.
"""

import sys
import threading

import tensorzero

if __name__ == "__main__":
    gateway = tensorzero._start_http_gateway(  # noqa: SLF001 - what patch_openai_client calls
        config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
    )
    print("listening on", gateway.base_url, flush=True)
    threading.Event().wait()
