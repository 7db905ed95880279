"""The two upstreams: nginx with one constant answer, and the streaming mock. Both on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stand.answer import ANSWER
from stand.process import free_port, need, started, wait_for_port

NGINX = """
daemon off; worker_processes 1; error_log stderr error; pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{answer}'; }} }}
}}
"""


@contextmanager
def constant(folder: Path, core: int) -> Iterator[int]:
    """nginx that gives ``ANSWER`` to everything; yields its port."""
    folder.mkdir()
    port, log = free_port(), folder / "log"
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, answer=ANSWER))
    with started([need("nginx"), "-p", str(folder), "-c", str(config)], core, log) as process:
        wait_for_port(port, process, log)
        yield port


@contextmanager
def streaming(folder: Path, core: int) -> Iterator[int]:
    """The mock that streams 100 events; yields its port."""
    folder.mkdir()
    port, log = free_port(), folder / "log"
    where = {"PYTHONPATH": str(Path(__file__).parents[1])}
    with started([sys.executable, "-m", "stand.sse_mock", str(port)], core, log, where) as process:
        wait_for_port(port, process, log)
        yield port
